// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../../base/errors.ts';

const UNITS = 'bkmgtp';

/** Bytes of `512m`, `1.5g`, `65536`: powers of 1024, as Docker counts memory; USAGE for anything else. */
export function parseBytes(text: string, option: string): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?) ?([bkmgtp])?(?:i?b)?$/i.exec(text) ?? [];
  const bytes = Math.floor(Number(amount) * 1024 ** UNITS.indexOf(unit?.toLowerCase() ?? 'b'));
  if (amount !== undefined && Number.isSafeInteger(bytes)) return bytes;
  throw new HrunError('USAGE', `${option} ${JSON.stringify(text)} is not a size`, {
    hint: 'use a number with b, k, m or g, for example 512m',
  });
}

/** A number of CPUs such as `1.5`. */
export function parseCpus(text: string): number {
  if (/^\d*\.?\d+$/.test(text)) return Number(text);
  throw new HrunError('USAGE', `--cpus ${JSON.stringify(text)} is not a number`, {
    hint: 'for example --cpus 1.5',
  });
}

/** -m and --cpus of what is made for machines of one size; undefined is what was not given. */
export function parseMachineSize({
  memory,
  cpus,
}: {
  memory: string | undefined;
  cpus: string | undefined;
}): {
  memory: number | undefined;
  cpus: number | undefined;
} {
  return {
    memory: memory === undefined ? undefined : parseBytes(memory, '--memory'),
    cpus: cpus === undefined ? undefined : parseCpus(cpus),
  };
}

/** --max-cpus: whole ones. */
export function parseWholeCpus(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new HrunError('USAGE', `--max-cpus ${JSON.stringify(text)} is not a whole number`, {
    hint: 'for example --max-cpus 4',
  });
}

/** --pids-limit: undefined, which is no limit, for -1 and 0. */
export function parsePidsLimit(text: string): number | undefined {
  if (/^(?:-1|\d{1,9})$/.test(text)) return Number(text) > 0 ? Number(text) : undefined;
  throw new HrunError('USAGE', `--pids-limit ${JSON.stringify(text)} is not a number`, {
    hint: 'use -1 for no limit',
  });
}

/** Whole seconds; -1 is for ever. */
export function parseTimeout(text: string, option: string): number {
  if (/^(?:-1|\d{1,7})$/.test(text)) return Number(text);
  throw new HrunError('USAGE', `${option} ${JSON.stringify(text)} is not a number of seconds`, {
    hint: 'use -1 to wait for ever',
  });
}
