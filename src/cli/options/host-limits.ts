// SPDX-License-Identifier: Apache-2.0
// Limits of the control group that the host puts around a VM.
import { HrunError } from '../../base/errors.ts';
import type { DeviceRate } from '../../core/container-options.ts';
import { parseBytes } from './quantity.ts';

/** --memory-swap: bytes of memory and swap together, -1 for any; needs --memory, and is at least that. */
export function parseMemorySwap(text: string, memory: number | undefined): number {
  const bytes = text === '-1' ? -1 : parseBytes(text, '--memory-swap');
  if (memory === undefined) {
    throw new HrunError('USAGE', '--memory-swap needs --memory', {
      hint: 'for example -m 512m --memory-swap 1g',
    });
  }
  if (bytes === -1 || bytes >= memory) return bytes;
  throw new HrunError('USAGE', `--memory-swap ${text} is less than --memory`, {
    hint: 'it is both together: the same as --memory for no swap, -1 for any',
  });
}

/** --cpuset-cpus: a list as cpuset(7) has it, such as `0-2,7`. */
export function parseCpuList(text: string): string {
  if (/^\d{1,5}(?:-\d{1,5})?(?:,\d{1,5}(?:-\d{1,5})?)*$/.test(text)) return text;
  throw new HrunError('USAGE', `--cpuset-cpus ${JSON.stringify(text)} is not a list of CPUs`, {
    hint: 'for example --cpuset-cpus 0-2,7',
  });
}

/** --cpu-quota, --cpu-period: whole microseconds; less than 0 is what a quota that limits nothing has. */
export function parseMicroseconds(text: string, option: string): number {
  if (/^-?\d{1,12}$/.test(text)) return Number(text);
  throw new HrunError('USAGE', `${option} ${JSON.stringify(text)} is not a number of microseconds`, {
    hint: `for example ${option} 50000`,
  });
}

/** --cpu-shares: 2 to 262144, as the kernel has them; 0 is the default, as under Docker. */
export function parseCpuShares(text: string): number {
  const shares = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (shares === 0 || (shares >= 2 && shares <= 262_144)) return shares;
  throw new HrunError('USAGE', `--cpu-shares ${JSON.stringify(text)} is not a number from 2 to 262144`, {
    hint: 'for example --cpu-shares 512, half of what others have',
  });
}

/** `/dev/sda:10mb`, `/dev/sda:100`: a rate a second of a device. */
export function parseDeviceRate(text: string, option: string): DeviceRate {
  const [, path, rate] = /^(\/dev\/.+):([^:]+)$/.exec(text) ?? [];
  const number = rate === undefined ? 0 : rateOf(rate, option);
  if (path !== undefined && number > 0) return { path, rate: number };
  throw new HrunError('USAGE', `${option} ${JSON.stringify(text)} is not a device and a rate`, {
    hint: option.endsWith('bps') ? 'for example /dev/sda:10mb' : 'for example /dev/sda:100',
  });
}

/** Bytes have units, operations have none. */
function rateOf(text: string, option: string): number {
  if (option.endsWith('bps')) return parseBytes(text, option);
  return /^\d{1,10}$/.test(text) ? Number(text) : 0;
}
