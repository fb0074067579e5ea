// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { type FileHandle, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncDirectory } from '../base/atomic-file.ts';
import { errnoOf } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import { type FileLock, native } from '../native/index.ts';

/** An unfinished file in tmp/, held by a lock: it becomes a file of the store by `commit` or goes. */
export class ScratchFile implements AsyncDisposable {
  readonly path: string;
  readonly handle: FileHandle;
  readonly #lock: FileLock;
  #committed = false;

  constructor(path: string, handle: FileHandle, lock: FileLock) {
    this.path = path;
    this.handle = handle;
    this.#lock = lock;
  }

  get fd(): number {
    return this.handle.fd;
  }

  /** Makes the content durable, gives the file its final name, and makes the name durable. */
  async commit(finalPath: string, mode = 0o644): Promise<void> {
    await this.handle.chmod(mode);
    await this.handle.sync();
    await rename(this.path, finalPath);
    this.#committed = true;
    await syncDirectory(dirname(finalPath));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.handle.close();
    if (!this.#committed) await rm(this.path, { force: true });
    this.#lock.release();
  }
}

/** Makes an empty scratch file. */
export async function createScratch(root: Root): Promise<ScratchFile> {
  for (;;) {
    const path = join(root.tmp, randomBytes(12).toString('hex'));
    const lock = native().lockFile(path, { shared: false, wait: false });
    if (!lock) continue; // a sweeper saw it between its making and its locking
    try {
      return new ScratchFile(path, await open(path, 'r+'), lock);
    } catch (error) {
      lock.release();
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
  }
}

/**
 * Replaces the file `path` of the store by `data`: a reader, a crash or a power cut sees the old content or the new, and a
 * sweep leaves it alone meanwhile.
 */
export async function replaceFile(root: Root, path: string, data: Uint8Array | string): Promise<void> {
  await using scratch = await createScratch(root);
  await scratch.handle.writeFile(data);
  await scratch.commit(path);
}

/** A symbolic link cannot be locked: an unfinished one is called so behind the name of a lock file in tmp/. */
export const UNFINISHED_LINK = '.link';

/** Removes what writers that died have left in tmp/: everything that nobody holds a lock on. */
export async function sweepScratch(root: Root): Promise<void> {
  for (const entry of await readdir(root.tmp, { withFileTypes: true })) {
    const path = join(root.tmp, entry.name);
    if (entry.isSymbolicLink()) await removeUnlocked(path, path.slice(0, -UNFINISHED_LINK.length));
    else if (!entry.isDirectory()) await removeUnlocked(path, path); // directories are of containers
  }
}

/** A lock file that we made goes again. Nothing is ever opened through a link. */
async function removeUnlocked(path: string, lockPath: string): Promise<void> {
  const lock = native().lockFile(lockPath, { shared: false, wait: false });
  if (!lock) return;
  await rm(path, { force: true });
  if (lockPath !== path) await rm(lockPath, { force: true });
  lock.release();
}
