// SPDX-License-Identifier: Apache-2.0
// Which virtio-mmio slot holds what. Slot N is `virtio-mmio.N` in the guest; there are 23 (0 to 22).

export const VSOCK_SLOT = 0;
export const RNG_SLOT = 1;
export const WRITABLE_SLOT = 2;
export const BALLOON_SLOT = 22;

const FIRST_LAYER_SLOT = 3;

/** Most EROFS disks of one VM; an image with more layers gets its lowest merged. Slots 19 to 21 stay free for networks. */
export const MAX_LAYER_DISKS = 16;

/** The slots of `count` layer disks, lowest layer first. */
export function layerSlots(count: number): number[] {
  if (count > MAX_LAYER_DISKS) throw new Error(`${count} layer disks, the most is ${MAX_LAYER_DISKS}`);
  return Array.from({ length: count }, (_, index) => FIRST_LAYER_SLOT + index);
}
