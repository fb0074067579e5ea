// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../../base/errors.ts';
import type { NetworkRates } from '../../core/container-options.ts';
import { parseBytes } from './quantity.ts';

const WAYS = ['in', 'out'] as const;

/** --network-bps: `10mb` for both ways, or `in=10mb,out=5mb`, or one of these; 0 is no limit. USAGE. */
export function parseNetworkRates(text: string): NetworkRates {
  if (!text.includes('=')) {
    const rate = rateOf(text, text);
    return { in: rate, out: rate };
  }
  const fields = text.split(',').map((field) => field.split('=', 2));
  const ways = new Set(fields.map(([way]) => way));
  if (ways.size !== fields.length || fields.some(([way]) => !WAYS.some((each) => each === way)))
    throw wrong(text);
  const of = (name: string) => fields.find(([way]) => way === name)?.[1];
  const [into, out] = WAYS.map((way) => (ways.has(way) ? rateOf(of(way) ?? '', text) : 0));
  return { in: into!, out: out! };
}

function rateOf(rate: string, text: string): number {
  try {
    return parseBytes(rate, '--network-bps');
  } catch {
    throw wrong(text);
  }
}

function wrong(text: string): HrunError {
  return new HrunError('USAGE', `--network-bps ${JSON.stringify(text)} is not a rate`, {
    hint: 'for example 10mb, or in=10mb,out=5mb',
  });
}
