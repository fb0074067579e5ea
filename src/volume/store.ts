// SPDX-License-Identifier: Apache-2.0
// Making and removing volumes. A name that begins with a dot is no volume's: the lock, and what is half made or half removed.
import { randomBytes } from 'node:crypto';
import { chmodSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { syncDirectory, writeFileAtomic } from '../base/atomic-file.ts';
import { listDirectory, makeDirectory } from '../base/directory.ts';
import { errnoOf } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import { type FileLock, native } from '../native/index.ts';
import { isVolumeName } from './name.ts';
import { dataPath, readVolume, VOLUME_FILE, type Volume, volumeDirectory } from './volume.ts';
import { recordVolume } from './volume-events.ts';

export type NewVolume = Omit<Volume, 'version' | 'created'>;

const LOCK = '.lock';
const UNFINISHED_PREFIX = '.unfinished-';
const DATA_MODE = 0o755;

/**
 * Until `release`: shared, no volume goes; exclusive, nobody begins to use one. Makes the directory of all volumes if it is
 * missing.
 */
export async function lockVolumes(root: Root, options: { shared: boolean }): Promise<FileLock> {
  await makeDirectory(root.volumes, 0o711);
  return await native().lockFile(join(root.volumes, LOCK), { ...options, wait: true });
}

/**
 * Makes a volume, or returns the one that has the name already. `makeDisk` makes a volume's disk of so many bytes. Only while
 * holding the lock of all volumes.
 */
export async function createVolume(
  root: Root,
  wanted: NewVolume,
  makeDisk: (path: string, bytes: number) => Promise<void>,
): Promise<Volume> {
  const present = readVolume(root, wanted.name);
  if (present) return present;
  const volume: Volume = { version: 1, created: new Date().toISOString(), ...wanted };
  const unfinished = unfinishedPath(root);
  try {
    await fill(unfinished, volume, makeDisk);
    await rename(unfinished, volumeDirectory(root, volume.name));
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    const made = isThere(error) ? readVolume(root, volume.name) : undefined;
    if (made) return made;
    throw error;
  }
  await syncDirectory(root.volumes);
  recordVolume(root, 'create', volume.name);
  return volume;
}

/** Replaces what volume.json says of a volume. */
export async function rewriteVolume(root: Root, volume: Volume): Promise<void> {
  const path = join(volumeDirectory(root, volume.name), VOLUME_FILE);
  await writeFileAtomic(path, JSON.stringify(volume), { mode: 0o600 });
}

/** Removes a volume and all it holds; one that is gone already is fine. Only while holding the exclusive lock. */
export async function deleteVolume(root: Root, name: string): Promise<void> {
  const doomed = unfinishedPath(root);
  try {
    await rename(volumeDirectory(root, name), doomed);
    await syncDirectory(root.volumes);
    recordVolume(root, 'destroy', name);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
  await sweepUnfinished(root);
}

/** The volumes by name. One that cannot be read is left out. */
export function listVolumes(root: Root): Volume[] {
  return listDirectory(root.volumes)
    .filter(isVolumeName)
    .sort()
    .flatMap((name) => readableVolume(root, name) ?? []);
}

/** The exclusive lock says that nobody is at work on any of them. */
async function sweepUnfinished(root: Root): Promise<void> {
  for (const name of listDirectory(root.volumes)) {
    if (name.startsWith(UNFINISHED_PREFIX))
      await rm(join(root.volumes, name), { recursive: true, force: true });
  }
}

async function fill(
  directory: string,
  volume: Volume,
  makeDisk: (path: string, bytes: number) => Promise<void>,
): Promise<void> {
  await mkdir(directory, { mode: 0o711 });
  const data = dataPath(directory, volume.diskSize);
  if (volume.diskSize === undefined) {
    await mkdir(data);
    chmodSync(data, DATA_MODE); // whatever the umask
  } else {
    await makeDisk(data, volume.diskSize);
  }
  await writeFileAtomic(join(directory, VOLUME_FILE), JSON.stringify(volume), { mode: 0o600 });
}

function readableVolume(root: Root, name: string): Volume | undefined {
  try {
    return readVolume(root, name);
  } catch {
    return undefined;
  }
}

function unfinishedPath(root: Root): string {
  return join(root.volumes, `${UNFINISHED_PREFIX}${randomBytes(8).toString('hex')}`);
}

/** What rename(2) says of a target that is a directory with something in it. */
function isThere(error: unknown): boolean {
  return errnoOf(error) === 'ENOTEMPTY' || errnoOf(error) === 'EEXIST';
}
