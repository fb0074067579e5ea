// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { formatDuration, formatSize, formatTimestamp } from '../../../src/cli/output/units.ts';

// The same numbers through Docker's go-units: HumanSizeWithPrecision(n, 3) and HumanDuration.
test.each([
  [0, '0B'],
  [999, '999B'],
  [1000, '1kB'],
  [1024, '1.02kB'],
  [77_824_000, '77.8MB'],
  [116_531_000, '117MB'],
  [1_220_000_000, '1.22GB'],
])('%d bytes are %s', (bytes, text) => expect(formatSize(bytes)).toBe(text));

test.each([
  ['2024-05-06T07:08:09.120Z', '2024-05-06 07:08:09.12 +0000 UTC'],
  ['2024-05-06T07:08:00.000Z', '2024-05-06 07:08:00 +0000 UTC'],
  ['2024-05-06T07:08:10Z', '2024-05-06 07:08:10 +0000 UTC'],
])('%s is %s', (time, text) => expect(formatTimestamp(time)).toBe(text));

const SECOND = 1000;
const HOUR = 3600 * SECOND;
test.each([
  [0, 'Less than a second'],
  [SECOND, '1 second'],
  [59 * SECOND, '59 seconds'],
  [60 * SECOND, 'About a minute'],
  [46 * 60 * SECOND, '46 minutes'],
  [HOUR, 'About an hour'],
  [47 * HOUR, '47 hours'],
  [48 * HOUR, '2 days'],
  [13 * 24 * HOUR, '13 days'],
  [14 * 24 * HOUR, '2 weeks'],
  [61 * 24 * HOUR, '2 months'],
  [729 * 24 * HOUR, '24 months'],
  [731 * 24 * HOUR, '2 years'],
])('%d ms are %s', (ms, text) => expect(formatDuration(ms)).toBe(text));
