// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { parseNetworkRates } from '../../../src/cli/options/network-rates.ts';

const MIB = 1 << 20;

describe('--network-bps', () => {
  test.each([
    ['10mb', 10 * MIB, 10 * MIB],
    ['in=10mb,out=512k', 10 * MIB, 512 * 1024],
    ['out=1m,in=100', 100, MIB],
    ['out=1m', 0, MIB],
    ['0', 0, 0],
  ])('%s is %d bytes a second in and %d out', (text, into, out) => {
    expect(parseNetworkRates(text)).toEqual({ in: into, out });
  });

  test.each(['', 'fast', 'in=', 'in=1m,in=2m', 'in=1m,up=2m', 'in=1m,', '-1'])('cannot be %j', (text) => {
    expect(() => parseNetworkRates(text)).toThrow(`--network-bps ${JSON.stringify(text)} is not a rate`);
  });
});
