// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../../base/errors.ts';

const UNIT_MS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/**
 * A moment as Docker's --since and --until take it: `10m` or `1h30m` ago, seconds since 1970 with a fraction, or an RFC 3339 time or
 * date. Returns RFC 3339 with nanoseconds in UTC; USAGE for anything else.
 */
export function parseTime(text: string, option: string, now = Date.now()): string {
  const ago = durationMs(text);
  if (ago !== undefined) return moment(now - ago);
  const [, seconds, fraction = ''] = /^(\d{1,11})(?:\.(\d{1,9}))?$/.exec(text) ?? [];
  if (seconds !== undefined) return moment(Number(seconds) * 1000, fraction);
  const [, exact] = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.(\d{1,9})/.exec(text) ?? [];
  if (/^\d{4}-\d\d-\d\d/.test(text) && !Number.isNaN(Date.parse(text)))
    return moment(Date.parse(text), exact);
  throw new HrunError('USAGE', `${option} ${JSON.stringify(text)} is not a time`, {
    hint: 'use 10m, 2024-05-06T07:08:09Z or seconds since 1970',
  });
}

/** `ms` since 1970; `fraction` are the digits of the second, if they are known more exactly. */
function moment(ms: number, fraction?: string): string {
  const [whole, thousandths] = new Date(ms).toISOString().slice(0, -1).split('.');
  return `${whole}.${(fraction ?? thousandths)!.padEnd(9, '0')}Z`;
}

/** Milliseconds of `1h30m`; undefined when it is no duration of Go's. */
export function durationMs(text: string): number | undefined {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text) return undefined;
  return parts.reduce((sum, [, number, unit]) => sum + Number(number) * UNIT_MS[unit!]!, 0);
}
