// SPDX-License-Identifier: Apache-2.0
// In a container's directory: flock of whoever changes more of it than its name.
import { join } from 'node:path';
import { native } from '../native/index.ts';

const UPDATE_LOCK = 'update.lock';

/** Runs `action` while nobody else changes the container; waits for those who do. ENOENT for one that is gone. */
export async function whileUpdating<T>(directory: string, action: () => Promise<T>): Promise<T> {
  const lock = await native().lockFile(join(directory, UPDATE_LOCK), { shared: false, wait: true });
  try {
    return await action();
  } finally {
    lock.release();
  }
}

/** The same unless somebody changes the container now: then nothing is run. */
export async function unlessUpdating(directory: string, action: () => Promise<void>): Promise<void> {
  const lock = native().lockFile(join(directory, UPDATE_LOCK), { shared: false, wait: false });
  try {
    if (lock) await action();
  } finally {
    lock?.release();
  }
}
