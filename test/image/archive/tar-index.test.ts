// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { indexTar } from '../../../src/image/archive/tar-index.ts';
import { makeTarHeader, parseTarHeader } from '../../../src/tar/index.ts';
import { makeTar } from '../../fixtures/built-image.ts';

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hrun-tar-'));
});
afterEach(() => rm(dir, { recursive: true }));

async function index(bytes: Buffer) {
  const path = join(dir, 'x.tar');
  await writeFile(path, bytes);
  await using handle = await open(path);
  return await indexTar(handle, bytes.length, path);
}

describe('the index of a tar', () => {
  test.each(['ustar', 'gnu', 'pax', 'v7'])('finds the files that GNU tar writes as %s', async (format) => {
    const long = format === 'v7' ? 'dir/name' : `dir/${'n'.repeat(format === 'ustar' ? 90 : 200)}`;
    await execa('mkdir', ['-p', join(dir, 'in', 'dir')]);
    await writeFile(join(dir, 'in', long), 'content');
    await execa('ln', ['-s', `../${long}`, join(dir, 'in', 'dir', 'link')]);
    await execa('ln', [join(dir, 'in', long), join(dir, 'in', 'hard')]);
    const { stdout } = await execa(
      'tar',
      ['--sort=name', `--format=${format}`, '-C', join(dir, 'in'), '-cf', '-', '.'],
      { encoding: 'buffer' },
    );
    const tar = Buffer.from(stdout);
    const found = await index(tar);
    for (const name of [long, `./${long}`, 'dir/link', 'hard']) {
      const entry = found.find(name)!;
      expect(tar.toString('utf8', entry.offset, entry.offset + entry.size)).toBe('content');
    }
    expect(found.find('dir')).toBeUndefined();
    expect(found.find('nothing')).toBeUndefined();
  });

  test('does not follow links in a circle or out of the archive', async () => {
    const link = (name: string, target: string) => {
      const header = makeTarHeader(name, 0);
      header.write('2', 156);
      header.write(target, 157);
      return resum(header);
    };
    const tar = Buffer.concat([
      link('a', 'b'),
      link('b', 'a'),
      link('c', '../../../etc/passwd'),
      Buffer.alloc(1024),
    ]);
    const found = await index(tar);
    for (const name of ['a', 'c', '../../etc/passwd']) expect(found.find(name)).toBeUndefined();
  });

  test.each([
    ['is no tar', () => Buffer.from('hello '.repeat(200)), /not a tar/],
    ['is cut short', () => makeTar({ a: 'x'.repeat(2000) }).subarray(0, 1024), /ends in the middle of a/],
    ['has a broken header', () => spoil(makeTar({ a: 'x', b: 'y' }), 1024), /broken tar header at byte 1024/],
    ['has a negative size', () => resum(negative(makeTar({ a: 'x' }))), /not a tar/],
    ['has a size past its end', () => resum(huge(makeTar({ a: 'x' }))), /ends in the middle/],
  ])('refuses what %s', async (_, make, message) => {
    const made = index(make());
    await expect(made).rejects.toEqual(expect.objectContaining({ code: 'BAD_ARCHIVE' }));
    await expect(made).rejects.toThrow(message);
  });

  test('an empty archive has nothing in it', async () => {
    expect((await index(Buffer.alloc(10240))).find('a')).toBeUndefined();
  });
});

test('a header tells sizes beyond what octal can hold', () => {
  expect(parseTarHeader(makeTarHeader('big', 9_000_000_000))).toMatchObject({
    name: 'big',
    size: 9_000_000_000,
  });
});

function spoil(tar: Buffer, at: number): Buffer {
  tar[at] = 0xff;
  return tar;
}

function negative(tar: Buffer): Buffer {
  tar.fill(0xff, 124, 136);
  return tar;
}

function huge(tar: Buffer): Buffer {
  tar.write('77777777777\0', 124);
  return tar;
}

/** Corrects the checksum of the first header. */
function resum(tar: Buffer): Buffer {
  tar.fill(0x20, 148, 156);
  const sum = tar.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  tar.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return tar;
}
