// SPDX-License-Identifier: Apache-2.0
// A machine that boots takes a whole CPU. Where many are started at once each would get so little of one that none of them is up in time:
// so a few boot, and the others wait for their turn.
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { makeDirectory } from '../base/directory.ts';
import type { Root } from '../base/root.ts';
import { type FileLock, native } from '../native/index.ts';

/** Some wait for the disk, or for each other. */
const TURNS = 2 * availableParallelism();

/** Waits until another machine of the store may boot. It may until the lock is released, or this process is gone. */
export async function takeTurn(root: Root, containerId: string): Promise<FileLock> {
  await makeDirectory(root.cache, 0o700);
  const first = Number.parseInt(containerId.slice(0, 8), 16) % TURNS;
  for (let offset = 0; offset < TURNS; offset++) {
    const free = native().lockFile(turnPath(root, (first + offset) % TURNS), { shared: false, wait: false });
    if (free) return free;
  }
  return await native().lockFile(turnPath(root, first), { shared: false, wait: true });
}

function turnPath(root: Root, number: number): string {
  return join(root.cache, `start-${number}.lock`);
}
