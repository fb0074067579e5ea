// SPDX-License-Identifier: Apache-2.0
import { rm } from 'node:fs/promises';
import { native } from '../native/index.ts';

/**
 * Runs `work` while holding the lock file `path`, which exists only as long as somebody wants it: whoever waits on a
 * removed file takes the new one (lockFile sees to that).
 */
export async function withLockFile<T>(path: string, work: () => Promise<T>): Promise<T> {
  const lock = await native().lockFile(path, { shared: false, wait: true });
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
    lock.release();
  }
}
