// SPDX-License-Identifier: Apache-2.0
// What is mounted in a new container, as Docker settles it: the user's, other containers', the image's.
import { existsSync } from 'node:fs';
import { posix } from 'node:path';
import { HrunError } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import { type ContainerMount, readContainerConfig, WRITABLE_DISK_BYTES } from '../container/index.ts';
import type { Image } from '../image/index.ts';
import {
  ANONYMOUS_LABEL,
  type NewVolume,
  newAnonymousName,
  readVolume,
  volumeSource,
} from '../volume/index.ts';
import type { ContainerOptions, MountRequest, VolumesFrom } from './container-options.ts';
import { openContainer } from './open-container.ts';
import { parseVolumeOptions } from './volume-options.ts';

/** A mount, and the volume to make for it if there is none yet. */
export interface PlannedMount extends ContainerMount {
  volume: NewVolume | undefined;
}

export interface MountFacts {
  /** of the new container */
  id: string;
  image: Image;
  /** false where the host's directories cannot be shared: volumes without a name are disks then */
  sharing: boolean;
}

/** The mounts of a new container. Writes nothing. Only while holding the lock of all volumes, until they are made. */
export async function planMounts(
  root: Root,
  options: ContainerOptions,
  facts: MountFacts,
): Promise<PlannedMount[]> {
  const { autoRemove } = options;
  const own = options.mounts.map((request) => plan(root, request, facts, autoRemove));
  refuseDuplicates([...own, ...options.tmpfs]);
  const others = await mountsFrom(root, options.volumesFrom);
  const taken = new Set([...own, ...options.tmpfs].map(({ target }) => target));
  const inherited = [...new Map(others.map((mount) => [mount.target, mount])).values()].filter(
    ({ target }) => !taken.has(target),
  );
  for (const { target } of inherited) taken.add(target);
  const ofImage = Object.keys(facts.image.config.config?.Volumes ?? {})
    .map(targetPath)
    .filter((target) => target !== '/' && !taken.has(target));
  return [
    ...own,
    ...inherited,
    ...[...new Set(ofImage)].map((target) => plan(root, imageVolume(target), facts, autoRemove)),
  ];
}

/** A path in the container as it is compared and shown. */
export function targetPath(path: string): string {
  const normal = posix.normalize(`/${path}`);
  return normal.length > 1 ? normal.replace(/\/$/, '') : normal;
}

function plan(root: Root, request: MountRequest, facts: MountFacts, autoRemove: boolean): PlannedMount {
  const { type, source, target, readOnly, mode, copy, createSource, cached, options } = request;
  const place = { type, name: '', source, target };
  const mount = { ...place, readOnly, mode, copy, createSource, cached, disk: false, options };
  if (type === 'volume') return { ...mount, ...planVolume(root, request, facts, autoRemove) };
  if (type === 'bind' && !createSource && !existsSync(source)) {
    throw new HrunError(
      'USAGE',
      `invalid mount config for type "bind": bind source path does not exist: ${source}`,
      { hint: 'make it, or use -v, which makes a directory' },
    );
  }
  return { ...mount, volume: undefined };
}

function planVolume(root: Root, request: MountRequest, facts: MountFacts, autoRemove: boolean) {
  const anonymous = request.source === '';
  const name = anonymous ? newAnonymousName() : request.source;
  const present = readVolume(root, name);
  const diskSize =
    parseVolumeOptions(request.driverOptions) ??
    (anonymous && !facts.sharing ? WRITABLE_DISK_BYTES : undefined);
  const wanted: NewVolume = {
    name,
    labels: { ...request.labels, ...(anonymous && { [ANONYMOUS_LABEL]: '' }) },
    options: { ...request.driverOptions },
    anonymous,
    removedWith: anonymous && autoRemove ? facts.id : undefined,
    diskSize,
  };
  const volume = present ?? wanted;
  const source = volumeSource(root, volume);
  return { name, source, disk: volume.diskSize !== undefined, volume: present ? undefined : wanted };
}

function imageVolume(target: string): MountRequest {
  const plain = { readOnly: false, mode: '', copy: true, createSource: false, cached: false, options: '' };
  return { type: 'volume', source: '', target, ...plain, labels: {}, driverOptions: {}, spec: undefined };
}

async function mountsFrom(root: Root, sources: readonly VolumesFrom[]): Promise<PlannedMount[]> {
  const mounts: PlannedMount[] = [];
  for (const { container, readOnly } of sources) {
    const { directory } = await openContainer(root, container);
    for (const mount of readContainerConfig(directory).mounts) {
      mounts.push({ ...mount, readOnly: readOnly ?? mount.readOnly, copy: false, volume: undefined });
    }
  }
  return mounts.filter(({ type }) => type !== 'tmpfs');
}

function refuseDuplicates(mounts: readonly { target: string }[]): void {
  const seen = new Set<string>();
  for (const target of mounts.map((mount) => targetPath(mount.target))) {
    if (seen.has(target)) throw new HrunError('USAGE', `Duplicate mount point: ${target}`);
    seen.add(target);
  }
}
