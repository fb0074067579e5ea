// SPDX-License-Identifier: Apache-2.0
import { statSync } from 'node:fs';
import { makeDirectory } from '../base/directory.ts';
import { errnoOf, HrunError } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import { type ContainerMount, makeWritableDisk } from '../container/index.ts';
import { createVolume } from '../volume/index.ts';
import type { PlannedMount } from './plan-mounts.ts';

/**
 * Makes the volumes and directories that planned mounts need. Only while holding the lock of all volumes. Rejects with
 * VOLUME_IN_USE when somebody made a volume of another kind meanwhile.
 */
export async function makeMounts(root: Root, mounts: readonly PlannedMount[]): Promise<void> {
  for (const mount of mounts) {
    await makeSource(mount);
    if (mount.volume === undefined) continue;
    const made = await createVolume(root, mount.volume, (path, bytes) => makeWritableDisk(root, path, bytes));
    if ((made.diskSize !== undefined) === mount.disk) continue;
    throw new HrunError('VOLUME_IN_USE', `the volume ${mount.name} has just been made with other options`, {
      hint: 'try again',
    });
  }
}

/** Makes the directory that `-v` promises; USAGE when it cannot be made. */
export async function makeSource({ source, createSource }: ContainerMount): Promise<void> {
  if (!createSource || isThere(source)) return;
  try {
    await makeDirectory(source);
  } catch (cause) {
    const why = errnoOf(cause);
    if (why === undefined) throw cause;
    throw new HrunError('USAGE', `error while creating mount source path ${JSON.stringify(source)}: ${why}`, {
      hint: 'make it, or give another path',
      cause,
    });
  }
}

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}
