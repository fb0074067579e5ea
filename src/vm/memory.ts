// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../base/errors.ts';

/** MiB of guest memory unless -m says otherwise. The host pays only for pages that the guest touches. */
export const DEFAULT_MEMORY_MIB = 1024;

/** MiB that the guest kernel, the initrd and the agent need to start one small process. */
export const LEAST_MEMORY_MIB = 40;

/** MiB that running a guest takes besides its memory: monitor, machine and, under TCG, 256 MiB of translated code. */
const OVERHEAD_MIB = { kvm: 64, qemu: 384 } as const;
/** Of guest memory: page tables of the processes that map it. */
const MAPPING_SHARE = 1 / 128;

const MIB = 1024 * 1024;

/** Bytes of the host's memory that a VM may come to use: the host's OOM killer must never end one for less. */
export function hostMemoryMax(engine: 'kvm' | 'qemu', guestMiB: number): number {
  return (guestMiB + OVERHEAD_MIB[engine] + Math.ceil(guestMiB * MAPPING_SHARE)) * MIB;
}

/** Guest memory in MiB for a limit in bytes, rounded up; MEMORY_TOO_SMALL under what boots. */
export function memoryMiB(bytes: number | undefined): number {
  if (bytes === undefined) return DEFAULT_MEMORY_MIB;
  const mebibytes = Math.ceil(bytes / MIB);
  if (mebibytes < LEAST_MEMORY_MIB) {
    throw new HrunError('MEMORY_TOO_SMALL', `${bytes} bytes of memory are too little to boot a micro-VM`, {
      hint: `give at least -m ${LEAST_MEMORY_MIB}m`,
    });
  }
  return mebibytes;
}
