// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { freeSubnet, hostRoutes } from '../../src/network/host-routes.ts';
import { formatSubnet, overlaps, parseIPv4, parseSubnet } from '../../src/network/subnet.ts';

describe('subnets', () => {
  test('are read and written as text', () => {
    expect(parseSubnet('172.31.0.0/16')).toEqual({ first: 0xac1f0000, prefix: 16 });
    expect(formatSubnet(parseSubnet('255.255.255.0/24')!)).toBe('255.255.255.0/24');
    expect(parseIPv4('0.0.0.1')).toBe(1);
  });

  test.each([
    '172.31.0.1/16',
    '172.31.0.0',
    '172.31.0.0/33',
    '172.31.0.0/',
    '1.2.3/8',
    'fd00::/64',
    '10.0.0.0/8/8',
    '',
  ])('refuses %j', (text) => expect(parseSubnet(text)).toBeUndefined());

  test('overlap when one is a part of the other', () => {
    const wide = parseSubnet('10.0.0.0/8')!;
    const narrow = parseSubnet('10.200.0.0/16')!;
    expect([overlaps(wide, narrow), overlaps(narrow, wide)]).toEqual([true, true]);
    expect(overlaps(narrow, parseSubnet('10.201.0.0/16')!)).toBe(false);
  });
});

describe('the subnet of a network that asks for none', () => {
  test('is one that no route of the host and no other network uses', () => {
    expect(formatSubnet(freeSubnet([])!)).toBe('172.31.0.0/16');
    expect(formatSubnet(freeSubnet([parseSubnet('172.16.0.0/12')!])!)).toBe('10.200.0.0/16');
    expect(freeSubnet([{ first: 0, prefix: 0 }])).toBeUndefined();
  });

  test('does not mind the default route', () => {
    const routes = hostRoutes(`Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask
eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t00001FAC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
`);
    expect(routes.map(formatSubnet)).toEqual(['172.31.0.0/16']);
  });
});
