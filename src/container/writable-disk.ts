// SPDX-License-Identifier: Apache-2.0
import { mkdirSync } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { syncDirectory } from '../base/atomic-file.ts';
import { errnoOf, HrunError } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import { native } from '../native/index.ts';

/** Bytes of a container's writable disk; sparse, so the host gives only what is written. */
export const WRITABLE_DISK_BYTES = 10 * 1024 ** 3;

/** Below this the journal is a small one: it may take at most half of the disk. */
const SMALL_DISK_BYTES = 1024 ** 3;

/** Part of the prepared disk's name: changes when the options below do. */
const FORMAT_VERSION = 1;

/**
 * Every byte not written is a hole that reads as zero, so that nothing has to be initialized, neither
 * here nor by the guest in the background; -m 0: no blocks kept back for root.
 */
const MKE2FS_OPTIONS = [
  ...['-q', '-F', '-t', 'ext4', '-b', '4096', '-m', '0', '-O', '^resize_inode'],
  ...['-E', 'root_owner=0:0,lazy_itable_init=0,lazy_journal_init=1,assume_storage_prezeroed=1'],
];

/** Makes a container's writable disk: an empty ext4 of `bytes`, a sparse copy of one prepared per size. */
export async function makeWritableDisk(root: Root, path: string, bytes = WRITABLE_DISK_BYTES): Promise<void> {
  const prepared = preparedPath(root, bytes);
  try {
    await native().copySparse(prepared, path);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    await prepare(root, prepared, bytes);
    await native().copySparse(prepared, path);
  }
}

/** Makes the prepared disk once; concurrent callers wait for the one that does. */
async function prepare(root: Root, path: string, bytes: number): Promise<void> {
  mkdirSync(root.cache, { recursive: true, mode: 0o700 });
  const lock = await native().lockFile(join(root.cache, 'empty-disk.lock'), { shared: false, wait: true });
  try {
    if (!(await exists(path))) await format(path, bytes);
  } finally {
    lock.release();
  }
}

async function format(path: string, bytes: number): Promise<void> {
  const unfinished = `${path}.unfinished`;
  await rm(unfinished, { force: true });
  await using file = await open(unfinished, 'wx', 0o600);
  await file.truncate(bytes);
  await mke2fs(unfinished, bytes < SMALL_DISK_BYTES ? 16 : 64);
  await file.sync();
  await rename(unfinished, path);
  await syncDirectory(join(path, '..'));
}

async function mke2fs(path: string, journalMiB: number): Promise<void> {
  const { execa } = await import('execa');
  const env = { PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin` };
  const { failed, code, stderr } = await execa(
    'mke2fs',
    [...MKE2FS_OPTIONS, '-J', `size=${journalMiB}`, path],
    { env, reject: false },
  );
  if (!failed) return;
  if (code === 'ENOENT') {
    throw new HrunError('HOST_SETUP', 'mke2fs is not installed', { hint: 'run: apt-get install e2fsprogs' });
  }
  throw new HrunError('HOST_SETUP', `mke2fs could not make ${path}: ${stderr}`);
}

function preparedPath(root: Root, bytes: number): string {
  return join(root.cache, `empty-${bytes / 1024 ** 2}m.v${FORMAT_VERSION}.ext4`);
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
