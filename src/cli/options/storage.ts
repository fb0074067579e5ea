// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../../base/errors.ts';
import { parseBytes } from './quantity.ts';

const MIB = 1024 ** 2;
/** An ext4 with its journal and something in it. */
const LEAST_BYTES = 128 * MIB;

/** The size of the writable disk in bytes, whole MiB; undefined for the default. USAGE for anything but `size=`. */
export function parseStorageOptions(entries: readonly string[]): number | undefined {
  let size: number | undefined;
  for (const entry of entries) {
    if (!entry.startsWith('size=')) {
      throw new HrunError('USAGE', `--storage-opt ${JSON.stringify(entry)} is not known`, {
        hint: 'there is size=20g',
      });
    }
    size = Math.ceil(parseBytes(entry.slice('size='.length), '--storage-opt size') / MIB) * MIB;
    if (size < LEAST_BYTES)
      throw new HrunError('USAGE', `--storage-opt ${entry} is too small`, {
        hint: 'give at least size=128m',
      });
  }
  return size;
}
