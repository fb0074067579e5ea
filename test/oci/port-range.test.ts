// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { parsePortRange } from '../../src/oci/index.ts';

describe('a range of ports', () => {
  test.each([
    ['80', { first: 80, last: 80, protocol: 'tcp' }],
    ['53/UDP', { first: 53, last: 53, protocol: 'udp' }],
    ['8000-8010/sctp', { first: 8000, last: 8010, protocol: 'sctp' }],
    ['0', { first: 0, last: 0, protocol: 'tcp' }],
    ['65535', { first: 65535, last: 65535, protocol: 'tcp' }],
  ])('is read from %s', (text, range) => {
    expect(parsePortRange(text)).toEqual(range);
  });

  test.each(['', '-', '80-', '-80', '81-80', '65536', '80/icmp', '80/tcp/udp', ' 80', '080080'])(
    'is not read from "%s"',
    (text) => {
      expect(parsePortRange(text)).toBeUndefined();
    },
  );
});
