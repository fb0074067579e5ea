// SPDX-License-Identifier: Apache-2.0
// Which virtio-mmio slot holds what. Slot N is `virtio-mmio.N` in the guest; there are 23 (0 to 22).

export const VSOCK_SLOT = 0;
export const RNG_SLOT = 1;
export const WRITABLE_SLOT = 2;
export const BALLOON_SLOT = 22;

const FIRST_LAYER_SLOT = 3;

/** Behind the disks that every copy of a template has: native/qemu/command_line.h, kPreparedDisks. */
const FIRST_FREE_SLOT = 7;

/** Of the disks of a rehearsal, which come and go. */
export const REHEARSAL_SLOTS = { writable: FIRST_FREE_SLOT, layer: FIRST_FREE_SLOT + 1 };

const LAST_SLOT = 18;

/** Of a container's first network interface, which templates for such containers have: native/qemu/command_line.h. */
export const FIRST_NIC_SLOT = 19;

/** Of network interfaces before any other. */
const NETWORK_SLOTS = [FIRST_NIC_SLOT, 20, 21];

/** Most EROFS disks of a VM without volumes; an image with more layers gets its lowest merged. */
export const MAX_LAYER_DISKS = LAST_SLOT - FIRST_LAYER_SLOT + 1;

/** Most disks of volumes in one VM. */
export const MAX_VOLUME_DISKS = 6;

/** Where a container's volumes are: they take slots from the layers. */
export interface VolumeSlots {
  /** of the virtiofs device, if the host shares anything */
  share: number | undefined;
  /** of the volumes that are disks */
  disks: number[];
  /** how many slots are left for layers */
  layers: number;
}

export function volumeSlots(shared: boolean, disks: number): VolumeSlots {
  const first = shared ? LAST_SLOT - 1 : LAST_SLOT;
  return {
    share: shared ? LAST_SLOT : undefined,
    disks: Array.from({ length: disks }, (_, index) => first - index),
    layers: MAX_LAYER_DISKS - disks - (shared ? 1 : 0),
  };
}

/** Slots that are left for network interfaces when disks and shared directories have `taken`, the best first. */
export function networkSlots(taken: readonly number[]): number[] {
  const others = Array.from({ length: LAST_SLOT - FIRST_FREE_SLOT + 1 }, (_, index) => LAST_SLOT - index);
  return [...NETWORK_SLOTS, ...others].filter((slot) => !taken.includes(slot));
}

/** The slots of `count` layer disks, lowest layer first. */
export function layerSlots(count: number): number[] {
  if (count > MAX_LAYER_DISKS) throw new Error(`${count} layer disks, the most is ${MAX_LAYER_DISKS}`);
  return Array.from({ length: count }, (_, index) => FIRST_LAYER_SLOT + index);
}
