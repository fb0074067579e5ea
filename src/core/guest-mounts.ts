// SPDX-License-Identifier: Apache-2.0
// A container's mounts as its VM gets them: the host's directories through one virtiofs device, volumes with a size as disks.
import { HrunError } from '../base/errors.ts';
import type { ContainerMount } from '../container/index.ts';
import type { GuestMount } from '../guest/index.ts';
import {
  findShareDaemon,
  MAX_VOLUME_DISKS,
  type SharedDirectories,
  type VmDisk,
  volumeSlots,
} from '../vm/index.ts';
import type { TmpfsMount } from './container-options.ts';

/** The mounts' part of vm.json and of CONFIGURE. */
export interface GuestMounts {
  share: SharedDirectories | undefined;
  disks: VmDisk[];
  mounts: GuestMount[];
  /** slots that are left for layers */
  layers: number;
}

const TMPFS_DEFAULTS = ['nosuid', 'nodev', 'noexec'];
const MAX_SHARED = 512;

/** Gives every mount its device and the agent its orders, outer mounts first. UNSUPPORTED when a user cannot share directories. */
export function guestMounts(mounts: readonly ContainerMount[], tmpfs: readonly TmpfsMount[]): GuestMounts {
  const shared = mounts.filter(({ type, disk }) => type !== 'tmpfs' && !disk);
  const disks = [...new Set(mounts.filter(({ disk }) => disk).map(({ source }) => source))];
  checkShares(shared);
  checkDisks(disks);
  const slots = volumeSlots(shared.length > 0, disks.length);
  const orders = [
    ...tmpfs.map(tmpfsMount),
    ...mounts.map((mount) =>
      guestMount(mount, shared.indexOf(mount), slots.disks[disks.indexOf(mount.source)]),
    ),
  ];
  return {
    share: sharedDirectories(shared, slots.share),
    disks: disks.map((path, index) => {
      return { path, slot: slots.disks[index]!, readOnly: isReadOnly(mounts, path), exclusive: true };
    }),
    mounts: orders.sort((a, b) => depth(a.target) - depth(b.target)),
    layers: slots.layers,
  };
}

function sharedDirectories(
  shared: readonly ContainerMount[],
  slot: number | undefined,
): SharedDirectories | undefined {
  if (slot === undefined) return undefined;
  const paths = shared.map(({ source, readOnly }) => ({ path: source, readOnly }));
  return {
    slot,
    daemon: findShareDaemon(),
    paths,
    ...(shared.every(({ cached }) => cached) && { cached: true }),
  };
}

function guestMount(mount: ContainerMount, share: number, slot: number | undefined): GuestMount {
  const { type, target, readOnly, copy, options } = mount;
  if (type === 'tmpfs') return tmpfsMount({ target, options: readOnly ? `${options},ro` : options });
  // A volume that cannot be written is not filled either.
  const words = [readOnly ? 'ro' : 'rw', ...(copy && type === 'volume' && !readOnly ? ['copy'] : [])];
  const [kind, source] = slot === undefined ? ['share', share] : ['disk', slot];
  return { type: kind, source: String(source), target, options: words.join(',') };
}

/** A user's option outweighs the default that it contradicts: `exec` takes `noexec` away. */
function tmpfsMount({ target, options }: TmpfsMount): GuestMount {
  const asked = options.split(',').filter(Boolean);
  const kept = TMPFS_DEFAULTS.filter((flag) => !asked.includes(flag) && !asked.includes(flag.slice(2)));
  return { type: 'tmpfs', source: 'tmpfs', target, options: [...kept, ...asked].join(',') };
}

/** A disk is one for all its mounts: read-only if every one of them is. */
function isReadOnly(mounts: readonly ContainerMount[], path: string): boolean {
  return mounts.every((mount) => mount.source !== path || mount.readOnly);
}

function depth(target: string): number {
  return target.split('/').filter(Boolean).length;
}

function checkShares(shared: readonly ContainerMount[]): void {
  if (shared.length === 0) return;
  if (shared.length > MAX_SHARED) {
    throw new HrunError('USAGE', `${shared.length} mounts of directories; the most is ${MAX_SHARED}`);
  }
  if (process.getuid?.() !== 0) {
    throw new HrunError('UNSUPPORTED', 'directories of the host can be shared by root only', {
      hint: 'run hrun as root, or use a volume that is a disk: hrun volume create -o size=10g',
    });
  }
}

function checkDisks(disks: readonly string[]): void {
  if (disks.length <= MAX_VOLUME_DISKS) return;
  throw new HrunError('USAGE', `${disks.length} volumes that are disks; the most is ${MAX_VOLUME_DISKS}`, {
    hint: 'use volumes without a size',
  });
}
