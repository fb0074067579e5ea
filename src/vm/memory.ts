// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../base/errors.ts';

/** MiB of guest memory unless -m says otherwise. The host pays only for pages that the guest touches. */
export const DEFAULT_MEMORY_MIB = 1024;

/** MiB that the guest kernel, the initrd and the agent need to start one small process. */
export const LEAST_MEMORY_MIB = 40;

const MIB = 1024 * 1024;

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
