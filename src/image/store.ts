// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { syncDirectory } from '../base/atomic-file.ts';
import { makeDirectory } from '../base/directory.ts';
import type { Root } from '../base/root.ts';
import { inStore } from '../base/store-error.ts';
import { type FileLock, native } from '../native/index.ts';
import { fileSize } from './blob-store.ts';
import { replaceFile, sweepScratch } from './scratch.ts';

/** image-spec image-layout.md, oci-layout file */
export const LAYOUT = '{"imageLayoutVersion":"1.0.0"}\n';

/**
 * The store of images, opened: while it is held nothing in it is swept away, so that whoever found an image may
 * use its files. All functions of src/image take one.
 */
export class ImageStore implements Disposable {
  readonly root: Root;
  readonly #lock: FileLock;

  constructor(root: Root, lock: FileLock) {
    this.root = root;
    this.#lock = lock;
  }

  [Symbol.dispose](): void {
    this.#lock.release();
  }
}

/**
 * Opens the store and makes its directories if they are missing. `write` also clears what dead writers left.
 * Rejects with STORE_UNREADABLE or DISK_FULL.
 */
export async function openImageStore(root: Root, { write = false } = {}): Promise<ImageStore> {
  return await inStore(root.dir, async () => {
    await makeDirectories(root);
    const lock = await native().lockFile(storeLockPath(root), { shared: true, wait: true });
    if (write) await sweepScratch(root);
    return new ImageStore(root, lock);
  });
}

/** Opens the store for nobody else: with `wait` when all others are done, else undefined if there are any. */
export async function lockImageStore(
  root: Root,
  options: { wait: boolean },
): Promise<ImageStore | undefined> {
  return await inStore(root.dir, async () => {
    const path = storeLockPath(root);
    const lock = options.wait
      ? await native().lockFile(path, { shared: false, wait: true })
      : native().lockFile(path, { shared: false, wait: false });
    return lock ? new ImageStore(root, lock) : undefined;
  });
}

/** docs/store.md, `lock` */
export function storeLockPath(root: Root): string {
  return join(root.dir, 'lock');
}

/** The layout file comes last and says that all directories are there, after a power cut too. */
async function makeDirectories(root: Root): Promise<void> {
  const layout = join(root.images, 'oci-layout');
  if ((await fileSize(layout)) === LAYOUT.length) return;
  await makeDirectory(root.dir, 0o711);
  for (const dir of [join(root.images, 'blobs', 'sha256'), root.layers]) await makeDirectory(dir);
  await makeDirectory(root.tmp, 0o700);
  for (const dir of [root.dir, root.images, join(root.images, 'blobs')]) await syncDirectory(dir);
  await replaceFile(root, layout, LAYOUT);
}
