// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../base/errors.ts';

const UNITS_NS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** Nanoseconds of a duration as Go writes it: `1m30s`, `500ms`. Throws USAGE. */
export function durationNs(text: string): number {
  if (!/^(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+$/.test(text)) {
    throw new HrunError('USAGE', `"${text}" is no duration`, { hint: 'use for example 30s or 1m30s' });
  }
  const parts = [...text.matchAll(/([\d.]+)(ns|us|µs|ms|s|m|h)/g)];
  return Math.round(parts.reduce((sum, [, number, unit]) => sum + Number(number) * UNITS_NS[unit!]!, 0));
}
