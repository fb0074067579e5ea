// SPDX-License-Identifier: Apache-2.0
// volumes/<name>: docs/store.md.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf, HrunError } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import { isVolumeName } from './name.ts';

/** volume.json of a volume's directory. */
export interface Volume {
  version: 1;
  name: string;
  /** RFC 3339, UTC */
  created: string;
  labels: Record<string, string>;
  /** as given by -o */
  options: Record<string, string>;
  /** it was given no name */
  anonymous: boolean;
  /** id of the container with which it goes: nothing else is to remember it */
  removedWith: string | undefined;
  /** bytes of its own ext4 disk; undefined: a directory */
  diskSize: number | undefined;
}

export const VOLUME_FILE = 'volume.json';
const DATA = '_data';
const DISK = 'disk.ext4';

/** Where a volume of that name is. */
export function volumeDirectory(root: Root, name: string): string {
  return join(root.volumes, name);
}

/** The directory of a volume's files, or its disk. */
export function volumeSource(root: Root, volume: Pick<Volume, 'name' | 'diskSize'>): string {
  return dataPath(volumeDirectory(root, volume.name), volume.diskSize);
}

/** The same below a volume's directory, wherever that is. */
export function dataPath(directory: string, diskSize: number | undefined): string {
  return join(directory, diskSize === undefined ? DATA : DISK);
}

/** Reads a volume; undefined when there is none of that name. STORE_CORRUPT when it is damaged. */
export function readVolume(root: Root, name: string): Volume | undefined {
  if (!isVolumeName(name)) return undefined;
  const path = join(volumeDirectory(root, name), VOLUME_FILE);
  try {
    const volume = JSON.parse(readFileSync(path, 'utf8')) as Volume;
    if (volume.version === 1 && volume.name === name) return volume;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new HrunError('STORE_CORRUPT', `${path} is damaged`, {
    hint: `save what you need of ${volumeDirectory(root, name)}, then remove that directory`,
  });
}

/** Reads a volume; NO_SUCH_VOLUME when there is none of that name. */
export function findVolume(root: Root, name: string): Volume {
  const volume = readVolume(root, name);
  if (volume) return volume;
  throw new HrunError('NO_SUCH_VOLUME', `get ${name}: no such volume`, { hint: 'see: hrun volume ls' });
}
