// SPDX-License-Identifier: Apache-2.0
// Archives of another implementation, npm's `tar`, are read, and ours are read by it. Its synchronous functions: `create` of a tree with
// hard links else may never end.
import { execFileSync } from 'node:child_process';
import { createReadStream, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as npmTar from 'tar';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { packTree, unpackTar } from '../../src/tar/index.ts';

const LONG = 'n'.repeat(150);

let scratch: string;
let tree: string;
let target: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'hrun-peer-'));
  [tree, target] = [join(scratch, 'tree'), join(scratch, 'target')];
  for (const directory of [tree, target, join(tree, 'a'), join(tree, 'a', LONG)]) mkdirSync(directory);
  writeFileSync(join(tree, 'a', LONG, `${LONG}.txt`), 'long');
  writeFileSync(join(tree, 'grüße'), 'x'.repeat(100_000), { mode: 0o640 });
  writeFileSync(join(tree, 'tool'), '#!', { mode: 0o755 });
  symlinkSync('a/../tool', join(tree, 'link'));
  execFileSync('ln', [join(tree, 'tool'), join(tree, 'again')]);
  execFileSync('touch', ['-d', '2001-02-03 04:05:06.5', join(tree, 'tool')]);
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

/** Kind, permissions, links, size, time, content and target of everything in a tree. */
function listing(directory: string): string {
  const script =
    'find . -mindepth 1 \\( -type d -printf "%p %M\\n" -o -printf "%p %M %n %s %Ts %l\\n" \\) | sort; find . -type f | sort | xargs md5sum';
  return execFileSync('sh', ['-c', script], {
    cwd: directory,
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C.UTF-8' },
  });
}

test.each([{ portable: false }, { portable: true }])(
  'what tar.create writes with %j is the same tree',
  async (options) => {
    const file = join(scratch, 'a.tar');
    npmTar.create({ cwd: tree, file, sync: true, ...options }, ['.']);
    await unpackTar(createReadStream(file), { directory: target, keepOwner: false });
    const times = /(?<= )\d{9,}(?= )/g; // a portable archive has none
    const shown = (text: string) => (options.portable ? text.replace(times, '') : text);
    expect(shown(listing(target))).toBe(shown(listing(tree)));
  },
);

test('what packTree writes is the same tree for tar.extract', async () => {
  const file = join(scratch, 'a.tar');
  const parts: Buffer[] = [];
  for await (const part of packTree(tree, { name: '.', follow: false })) parts.push(part);
  await writeFile(file, Buffer.concat(parts));
  npmTar.extract({ cwd: target, file, sync: true, strict: true, preserveOwner: false });
  expect(listing(target)).toBe(listing(tree));
});
