// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../base/errors.ts';

const MIB = 1024 ** 2;
const LEAST_BYTES = 128 * MIB; // an ext4 with its journal and something in it
const UNITS = 'bkmgt';

/**
 * What `-o` asks of a volume: `size=` makes it an ext4 disk of that many bytes, `type=ext4` says so again. Undefined is a
 * directory. USAGE for anything else.
 */
export function parseVolumeOptions(options: Readonly<Record<string, string>>): number | undefined {
  for (const [key, value] of Object.entries(options)) {
    if (key === 'size' || (key === 'type' && value === 'ext4')) continue;
    throw new HrunError('USAGE', `invalid option: ${JSON.stringify(`${key}=${value}`)}`, {
      hint: 'there is size=10g, which makes the volume an ext4 disk, and type=ext4',
    });
  }
  if (options.size !== undefined) return diskBytes(options.size);
  if (options.type === undefined) return undefined;
  throw new HrunError('USAGE', 'type=ext4 needs a size', { hint: 'for example -o type=ext4,size=10g' });
}

function diskBytes(text: string): number {
  const [, amount, unit = 'b'] = /^(\d{1,12})([bkmgt])?(?:i?b)?$/i.exec(text) ?? [];
  const bytes = Math.ceil((Number(amount) * 1024 ** UNITS.indexOf(unit.toLowerCase())) / MIB) * MIB;
  if (bytes >= LEAST_BYTES && bytes <= 1024 ** 5) return bytes;
  throw new HrunError('USAGE', `size=${text} is not the size of a volume`, {
    hint: 'give at least size=128m, for example size=10g',
  });
}
