// SPDX-License-Identifier: Apache-2.0
// What the store makes of an image with every case, merged into one EROFS image, is what umoci unpacks.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Root, rootAt } from '../../src/base/root.ts';
import { loadImages } from '../../src/core/load.ts';
import { findImage, openImageStore, rootDisks } from '../../src/image/index.ts';
import { type ErofsInode, ErofsReader } from '../fixtures/erofs-reader.ts';
import { writeEveryCaseLayout } from '../fixtures/every-case-image.ts';

const PROJECT = join(import.meta.dirname, '../..');

let dir: string;
let root: Root;
let layout: string;
let lister: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hrun-every-case-'));
  [root, layout, lister] = [rootAt(join(dir, 'root')), join(dir, 'layout'), join(dir, 'list_tree')];
  await writeEveryCaseLayout(layout, { layout: join(PROJECT, 'build/fixtures/oci'), name: 'busybox' });
  await execa('gcc', ['-O2', '-o', lister, join(PROJECT, 'test/vm/tree/list_tree.c')]);
  using store = await openImageStore(root, { write: true });
  await loadImages(store, layout);
});
afterAll(() => rm(dir, { recursive: true, force: true }));

describe.each(['every-case:1', 'many-layers:1'])('%s', (name) => {
  test('merged is the tree that umoci unpacks', async () => {
    const bundle = join(dir, 'bundle');
    await execa('umoci', ['unpack', '--image', `${layout}:${name}`, bundle]);
    const { stdout } = await execa(lister, [join(bundle, 'rootfs')], { maxBuffer: 1 << 28 });
    await rm(bundle, { recursive: true });
    expect(await ownTree(name)).toEqual(stdout.split('\n'));
  });

  test('is made of images that fsck.erofs passes', async () => {
    using store = await openImageStore(root);
    const { image } = await findImage(store, name);
    for (const path of [...(await rootDisks(store, image, 100)), ...(await rootDisks(store, image, 5))]) {
      await execa('fsck.erofs', [path]);
    }
  });
});

async function ownTree(name: string): Promise<string[]> {
  using store = await openImageStore(root);
  const { image } = await findImage(store, name);
  const [merged] = await rootDisks(store, image, 1);
  using reader = new ErofsReader(merged!);
  const firstPaths = new Map<number, string>();
  return [...reader.walk()]
    .filter(([path]) => path !== '.' && !isLeftOut(path))
    .map(([path, inode]) => listLine(reader, path, inode, firstPaths));
}

/** What list_tree.c leaves out, with everything below. */
function isLeftOut(path: string): boolean {
  const names = ['proc', 'sys', 'dev', 'etc/hosts', 'etc/hostname', 'etc/resolv.conf', 'mnt'];
  return names.some((name) => path === name || path.startsWith(`${name}/`));
}

const TYPE_BITS: Record<string, number> = {
  fifo: 0o010000,
  char: 0o020000,
  directory: 0o040000,
  block: 0o060000,
  file: 0o100000,
  symlink: 0o120000,
};

/** One line of list_tree.c. */
function listLine(
  reader: ErofsReader,
  path: string,
  inode: ErofsInode,
  firstPaths: Map<number, string>,
): string {
  const { type, mode, uid, gid, mtime, nlink, nid, size, device, xattrs } = inode;
  const seconds = mtime / 1_000_000_000n - (mtime % 1_000_000_000n < 0n ? 1n : 0n);
  const nanoseconds = String(mtime - seconds * 1_000_000_000n).padStart(9, '0');
  const parts = [
    escaped(path),
    (TYPE_BITS[type]! | mode).toString(8),
    `${uid}:${gid}`,
    `${seconds}.${nanoseconds}`,
  ];
  if (type !== 'directory' && nlink > 1) {
    if (firstPaths.has(nid)) parts.push(`linked:${escaped(firstPaths.get(nid)!)}`);
    else firstPaths.set(nid, path);
  }
  if (type === 'file') parts.push(String(size), fnv(reader.data(nid)));
  if (device) parts.push(device.join(','));
  if (type === 'symlink') parts.push('->', escaped(reader.data(nid).toString('latin1')));
  for (const [name, value] of Object.entries(xattrs).sort(([a], [b]) => (a < b ? -1 : 1))) {
    parts.push(`${escaped(name)}=${escaped(value)}`);
  }
  return parts.join(' ');
}

function escaped(latin1: string): string {
  return latin1.replace(/[^!-~]|[\\=]/g, (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`);
}

/** FNV-1a, 64 bits, in two halves: 0x100000001b3 is 2^40 + 0x1b3. */
function fnv(bytes: Buffer): string {
  let [high, low] = [0xcbf29ce4, 0x84222325];
  for (const byte of bytes) {
    low = (low ^ byte) >>> 0;
    const product = low * 0x1b3;
    const carry = Math.floor(product / 2 ** 32);
    high = (Math.imul(high, 0x1b3) + carry + (low << 8)) >>> 0;
    low = product >>> 0;
  }
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0');
}
