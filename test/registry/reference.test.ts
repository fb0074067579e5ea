// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { familiarName, fullName, parseReference, parseTagged } from '../../src/registry/index.ts';

const HEX = 'a'.repeat(64);
const SHA = `sha256:${HEX}`;

describe('image names', () => {
  test.each([
    ['ubuntu', 'docker.io/library/ubuntu:latest'],
    ['ubuntu:22.04', 'docker.io/library/ubuntu:22.04'],
    ['library/ubuntu', 'docker.io/library/ubuntu:latest'],
    ['docker.io/ubuntu', 'docker.io/library/ubuntu:latest'],
    ['index.docker.io/ubuntu', 'docker.io/library/ubuntu:latest'],
    ['docker.io/library/ubuntu', 'docker.io/library/ubuntu:latest'],
    ['team/app', 'docker.io/team/app:latest'],
    ['localhost/x', 'localhost/x:latest'],
    ['localhost:5000/x', 'localhost:5000/x:latest'],
    ['127.0.0.1:5000/a/b:tag', '127.0.0.1:5000/a/b:tag'],
    [`127.0.0.1:5000/a/b:tag@${SHA}`, `127.0.0.1:5000/a/b:tag@${SHA}`],
    [`ubuntu@${SHA}`, `docker.io/library/ubuntu@${SHA}`],
    ['registry.example.com/a', 'registry.example.com/a:latest'],
    ['Example/a', 'Example/a:latest'], // an upper-case letter makes it a host, as in Docker
    ['[2001:db8::1]:5000/a', '[2001:db8::1]:5000/a:latest'],
    ['a__b/c.d/e--f', 'docker.io/a__b/c.d/e--f:latest'],
    ['ubuntu:_.-', 'docker.io/library/ubuntu:_.-'],
    ['ubuntu:5000', 'docker.io/library/ubuntu:5000'],
    ['foo:5000/bar', 'foo:5000/bar:latest'],
  ])('%s is %s', (text, full) => {
    expect(fullName(parseTagged(text))).toBe(full);
  });

  test.each([
    ['docker.io/library/ubuntu:latest', 'ubuntu:latest'],
    ['team/app:1', 'team/app:1'],
    ['localhost:5000/x', 'localhost:5000/x:latest'],
    ['docker.io/library/a/b', 'library/a/b:latest'],
  ])('%s is shown as %s', (text, familiar) => {
    expect(familiarName(parseTagged(text))).toBe(familiar);
  });

  test.each([
    ['Ubuntu', 'lower case'],
    ['team/App', 'lower case'],
    ['localhost:5000/X', 'lower case'],
    [HEX, '64 hexadecimal'],
    ['', 'format'],
    [':tag', 'format'],
    ['a//b', 'format'],
    ['/a', 'format'],
    ['a/', 'format'],
    ['a b', 'format'],
    ['a:', 'tag'],
    ['a:t@g', '@'],
    [`a:${'t'.repeat(129)}`, 'tag'],
    ['a:-x', 'tag'],
    ['a@sha256:abc', '@'],
    [`a@md5:${'a'.repeat(32)}`, '@'],
    [`a@SHA256:${HEX}`, '@'],
    [`a@${SHA}@${SHA}`, '@'],
    ['a/../../etc/passwd', 'format'],
    ['a/./b', 'format'],
    ['-a/b', 'format'],
    ['host:port/a', 'format'],
    ['a\nb', 'format'],
    ['a___b', 'format'],
    ['a'.repeat(256), 'longer'],
  ])('%j is refused', (text, why) => {
    const parse = () => parseReference(text);
    expect(parse).toThrow(expect.objectContaining({ code: 'BAD_REFERENCE' }));
    expect(parse).toThrow(why);
  });

  test('an endless name is refused at once and not echoed whole', () => {
    const error = (() => {
      try {
        parseReference('a.'.repeat(500_000));
      } catch (thrown) {
        return thrown as Error;
      }
      throw new Error('accepted');
    })();
    expect(error.message.length).toBeLessThan(300);
  });
});
