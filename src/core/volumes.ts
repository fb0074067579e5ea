// SPDX-License-Identifier: Apache-2.0
// The use cases of `hrun volume`.
import { HrunError } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import { inStore } from '../base/store-error.ts';
import {
  containerDirectory,
  listContainerIds,
  makeWritableDisk,
  readContainerConfig,
  readState,
} from '../container/index.ts';
import {
  ANONYMOUS_LABEL,
  checkVolumeName,
  createVolume,
  deleteVolume,
  findVolume,
  listVolumes,
  lockVolumes,
  newAnonymousName,
  rewriteVolume,
  type Volume,
  volumeSource,
} from '../volume/index.ts';
import { hasLabel } from './container-filters.ts';
import { volumeSize } from './disk-usage.ts';
import type { Pruned, PruneFilters } from './prune.ts';
import { parseVolumeOptions } from './volume-options.ts';

export interface NewVolumeOptions {
  /** undefined for an anonymous one */
  name: string | undefined;
  labels: Readonly<Record<string, string>>;
  options: Readonly<Record<string, string>>;
}

/** Makes a volume, or finds the one of that name. Resolves to its name. */
export async function createNamedVolume(root: Root, asked: NewVolumeOptions): Promise<string> {
  const anonymous = asked.name === undefined;
  const name = asked.name === undefined ? newAnonymousName() : checkVolumeName(asked.name);
  const labels = { ...asked.labels, ...(anonymous && { [ANONYMOUS_LABEL]: '' }) };
  const options = { ...asked.options };
  const diskSize = parseVolumeOptions(options);
  const wanted = { name, labels, options, anonymous, removedWith: undefined, diskSize };
  await withVolumes(root, true, () =>
    createVolume(root, wanted, (path, bytes) => makeWritableDisk(root, path, bytes)),
  );
  return name;
}

/** The ids of the containers that mount each volume, by its name. */
export function volumeUsers(root: Root): Map<string, string[]> {
  const users = new Map<string, string[]>();
  for (const id of listContainerIds(root)) {
    for (const name of new Set(volumesOf(root, id))) users.set(name, [...(users.get(name) ?? []), id]);
  }
  return users;
}

/** Removes a volume; VOLUME_IN_USE while a container has it, running or not. With `force` a missing one is fine. */
export async function removeVolumeCalled(
  root: Root,
  name: string,
  options: { force: boolean },
): Promise<void> {
  await withVolumes(root, false, async () => {
    const users = volumeUsers(root).get(name) ?? [];
    if (users.length > 0) {
      throw new HrunError('VOLUME_IN_USE', `remove ${name}: volume is in use - [${users.join(', ')}]`, {
        hint: 'remove the container first',
      });
    }
    if (!options.force) findVolume(root, name);
    await deleteVolume(root, name);
  });
}

/** Removes volumes that no container has: those without a name, with `all` every one. */
export async function pruneVolumes(
  root: Root,
  filters: PruneFilters,
  options: { all: boolean },
): Promise<Pruned> {
  return await withVolumes(root, false, async () => {
    const pruned: Pruned = { removed: [], reclaimed: 0 };
    const users = volumeUsers(root);
    for (const volume of listVolumes(root)) {
      if (users.has(volume.name) || !(options.all || volume.anonymous)) continue;
      if (!isWanted(filters, volume)) continue;
      pruned.reclaimed += volumeSize(root, volume);
      await deleteVolume(root, volume.name);
      pruned.removed.push(volume.name);
    }
    return pruned;
  });
}

/** Has a container's volumes without a name go with it: called before it is removed, so that a crash leaves none. */
export async function tieVolumes(root: Root, id: string): Promise<void> {
  await withVolumes(root, true, async () => {
    for (const name of new Set(volumesOf(root, id))) {
      const volume = listVolumes(root).find((each) => each.name === name);
      if (volume?.anonymous) await rewriteVolume(root, { ...volume, removedWith: id });
    }
  });
}

/** Removes the volumes whose container is gone, unless another uses them. */
export async function removeTiedVolumes(root: Root): Promise<void> {
  const there = new Set(listContainerIds(root));
  const isLeft = ({ removedWith }: Volume) => removedWith !== undefined && !there.has(removedWith);
  if (!listVolumes(root).some(isLeft)) return;
  await withVolumes(root, false, async () => {
    const users = volumeUsers(root);
    for (const volume of listVolumes(root)) {
      if (isLeft(volume) && !users.has(volume.name)) await deleteVolume(root, volume.name);
    }
  });
}

/** A volume as `docker volume inspect` shows it. */
export function inspectVolume(root: Root, name: string): object {
  const volume = findVolume(root, name);
  return {
    CreatedAt: volume.created,
    Driver: 'local',
    Labels: Object.keys(volume.labels).length > 0 ? volume.labels : null,
    Mountpoint: volumeSource(root, volume),
    Name: volume.name,
    Options: Object.keys(volume.options).length > 0 ? volume.options : null,
    Scope: 'local',
  };
}

/** Names of the volumes in a container that is whole; one that is being made holds the lock of all volumes. */
function volumesOf(root: Root, id: string): string[] {
  const directory = containerDirectory(root, id);
  try {
    if (readState(directory) === undefined) return [];
    return readContainerConfig(directory).mounts.flatMap(({ type, name }) =>
      type === 'volume' ? [name] : [],
    );
  } catch (error) {
    if (error instanceof HrunError || isGone(error)) return [];
    throw error;
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function isWanted({ until, labels, withoutLabels }: PruneFilters, volume: Volume): boolean {
  if (until !== undefined && Date.parse(volume.created) >= until) return false;
  return (
    labels.every((label) => hasLabel(volume.labels, label)) &&
    !withoutLabels.some((label) => hasLabel(volume.labels, label))
  );
}

async function withVolumes<T>(root: Root, shared: boolean, work: () => Promise<T>): Promise<T> {
  return await inStore(root.volumes, async () => {
    const lock = await lockVolumes(root, { shared });
    try {
      return await work();
    } finally {
      lock.release();
    }
  });
}
