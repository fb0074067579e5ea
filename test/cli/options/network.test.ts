// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { networkRequests } from '../../../src/cli/options/network.ts';

const parse = (network: string[], more: object = {}) =>
  networkRequests({ network, net: [], networkAlias: [], ...more }, '');
const request = (network: string | undefined, more: object = {}) => ({
  ...{ network, ip: undefined, ip6: undefined, macAddress: undefined, aliases: [] },
  ...more,
});

describe('--network', () => {
  test('that is not given leaves the networks to the default', () => {
    expect(parse([])).toEqual([]);
    const flags = { network: [], net: [], networkAlias: [] };
    expect(networkRequests(flags, 'db')).toEqual([request('db')]);
    expect(networkRequests({ ...flags, net: ['a'] }, 'db')).toEqual([request('a')]);
  });

  test('is a name or words, once for each network', () => {
    const words = 'name=b,alias=x,alias=y,ip=10.5.0.2,ip6=fd00::2,mac-address=02:00:00:00:00:01';
    const second = request('b', {
      ...{ ip: '10.5.0.2', ip6: 'fd00::2', macAddress: '02:00:00:00:00:01', aliases: ['x', 'y'] },
    });
    expect(parse(['a', words])).toEqual([request('a'), second]);
  });

  test('and --ip, --mac-address and --network-alias, which are the first network’s', () => {
    const more = { ip: '10.5.0.2', ip6: 'fd00::2', macAddress: '02:00:00:00:00:01', networkAlias: ['x'] };
    const { networkAlias, ...first } = more;
    expect(parse(['a', 'b'], more)).toEqual([
      request('a', { ...first, aliases: networkAlias }),
      request('b'),
    ]);
    expect(parse([], more)).toEqual([request(undefined, { ...first, aliases: networkAlias })]);
  });

  test.each([
    ['alias=x', {}, 'network name/id is not specified'],
    ['name=a,foo=1', {}, 'invalid field key foo'],
    ['name=a,foo', {}, 'invalid field foo'],
    ['name=a,alias=a b', {}, '--network alias "a b" is not a name'],
    ['name=a,gw-priority=2', {}, 'there is no gw-priority here'],
    ['name=a,ip6=fd00::2', { ip6: 'fd00::3' }, 'cannot specify both --ip6 and per-network IPv6 address'],
    ['name=a,ip=1.2.3.4', { ip: '1.2.3.5' }, 'cannot specify both --ip and per-network IPv4 address'],
    ['name=a,alias=x', { networkAlias: ['y'] }, 'both --network-alias and per-network alias'],
    ['name=a,mac-address=x', { macAddress: 'y' }, 'both --mac-address and per-network MAC address'],
  ])('cannot be %s with %j', (text, more, message) => {
    expect(() => parse([text], more)).toThrow(message);
  });
});
