// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { hostRoutes6, routerTaughtLinks } from '../../src/network/host-routes.ts';
import {
  contains6,
  formatIPv6,
  formatSubnet6,
  isStation6,
  overlaps6,
  parseIPv6,
  parseSubnet6,
  randomLocalSubnet,
} from '../../src/network/ipv6.ts';

const directory = mkdtempSync(join(tmpdir(), 'hrun-routes-'));
const ROUTES = join(directory, 'ipv6_route');
const NONE = '0'.repeat(32);
writeFileSync(
  ROUTES,
  `20010db8000000000000000000000000 40 ${NONE} 00 ${NONE} 00000100 00000001 00000000 00040001     eth0
fe800000000000000000000000000000 40 ${NONE} 00 ${NONE} 00000100 00000001 00000000 00000001     eth1
${NONE} 00 ${NONE} 00 fe800000000000000000000000000001 00000400 00000001 00000000 00450003     eth0
00000000000000000000000000000001 80 ${NONE} 00 ${NONE} 00000000 00000003 00000000 80200001       lo
`,
);
afterAll(() => rmSync(directory, { recursive: true }));

describe('IPv6 addresses', () => {
  test.each([
    ['::', '::'],
    ['::1', '::1'],
    ['FD00:0001::0002', 'fd00:1::2'],
    ['fd00:0:0:1:0:0:0:2', 'fd00:0:0:1::2'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['64:ff9b::192.0.2.1', '64:ff9b::c000:201'],
  ])('%s is written %s', (text, canonical) => {
    expect(formatIPv6(parseIPv6(text)!)).toBe(canonical);
  });

  test.each(['', 'x', '1.2.3.4', 'fd00::1%eth0', 'fd00::/64', ':::', '1:2:3:4:5:6:7:8:9'])(
    'are not %j',
    (text) => expect(parseIPv6(text)).toBeUndefined(),
  );
});

describe('IPv6 subnets', () => {
  test('are read and written as text, without bits behind the prefix', () => {
    expect(formatSubnet6(parseSubnet6('fd00:1::/64')!)).toBe('fd00:1::/64');
    for (const text of ['fd00:1::1/64', 'fd00::', 'fd00::/129', 'fd00::/', '10.0.0.0/8', 'fd00::/8/8'])
      expect([text, parseSubnet6(text)]).toEqual([text, undefined]);
  });

  test('overlap when one is a part of the other', () => {
    const [wide, narrow, other] = ['fd00::/16', 'fd00:1::/64', 'fd01::/64'].map(
      (text) => parseSubnet6(text)!,
    );
    expect([overlaps6(wide!, narrow!), overlaps6(narrow!, wide!)]).toEqual([true, true]);
    expect(overlaps6(wide!, other!)).toBe(false);
    expect(isStation6(narrow!, narrow!.first)).toBe(false);
    expect(isStation6(narrow!, narrow!.first + 1n)).toBe(true);
  });

  test('of nobody are chosen at random from fd00::/8', () => {
    const subnets = Array.from({ length: 20 }, randomLocalSubnet);
    expect(new Set(subnets.map(formatSubnet6)).size).toBe(20);
    for (const { first, prefix } of subnets) {
      expect(contains6(parseSubnet6('fd00::/8')!, first)).toBe(true);
      expect([prefix, first % (1n << 64n)]).toEqual([64, 0n]);
    }
  });

  test('of the host are its routes, none where it has no IPv6', () => {
    expect(hostRoutes6('/nonexistent')).toEqual([]);
    expect(hostRoutes6(ROUTES).map(formatSubnet6)).toEqual(['2001:db8::/64', 'fe80::/64', '::1/128']);
  });
});

describe('a host that listens to routers', () => {
  test('does so on the interfaces that have their routes', () => {
    expect(routerTaughtLinks(ROUTES)).toEqual(['eth0']);
    expect(routerTaughtLinks('/nonexistent')).toEqual([]);
  });
});
