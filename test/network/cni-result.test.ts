// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { cniFailure, parseCniResult } from '../../src/network/cni-result.ts';

/** As bridge and host-local of containernetworking-plugins 1.1.1 write it. */
const RESULT = {
  cniVersion: '1.0.0',
  interfaces: [
    { name: 'tcni0', mac: 'ae:5e:9d:06:bb:3f' },
    { name: 'eth0', mac: 'fa:f9:10:17:1b:b0', sandbox: '/run/netns/x' },
  ],
  ips: [{ interface: 1, address: '10.77.0.2/24', gateway: '10.77.0.1' }],
  routes: [{ dst: '0.0.0.0/0' }],
  dns: { nameservers: ['10.1.1.1'] },
};

const parse = (change: object) => parseCniResult(JSON.stringify({ ...RESULT, ...change }));

describe("a plug-in's answer", () => {
  test('is kept as it is, and read', () => {
    expect(parse({})).toEqual({
      raw: RESULT,
      addresses: ['10.77.0.2/24'],
      dns: { servers: ['10.1.1.1'], search: [], options: [] },
    });
  });

  test('may have nothing, or null as Go writes it, of what need not be there', () => {
    const nothing = { addresses: [], dns: { servers: [], search: [], options: [] } };
    expect(parseCniResult('{"cniVersion":"1.0.0"}')).toMatchObject(nothing);
    expect(parse({ interfaces: null, ips: null, routes: null, dns: null })).toMatchObject(nothing);
    expect(parse({ dns: { nameservers: null, domain: '' } })).toMatchObject({ dns: { servers: [] } });
  });

  test('has its domain for the only one to search in, unless it names others', () => {
    expect(parse({ dns: { domain: 'lan.example' } })).toMatchObject({ dns: { search: ['lan.example'] } });
    expect(parse({ dns: { domain: 'a', search: ['b', 'c.d'], options: ['ndots:5'] } })).toMatchObject({
      dns: { search: ['b', 'c.d'], options: ['ndots:5'] },
    });
  });

  test.each(['', 'null', '[]', '"x"', '{', '{"a":1}{"b":2}', 'ok\n{}'])('%j is none', (text) => {
    expect(parseCniResult(text)).toBe('is no JSON object');
  });

  test.each([
    [{ interfaces: {} }, 'has interfaces that are none'],
    [{ interfaces: [{}] }, 'has interfaces that are none'],
    [{ interfaces: [{ name: '../../x' }] }, 'has interfaces that are none'],
    [{ ips: [{ address: '10.0.0.1' }] }, 'has addresses that are none'],
    [{ ips: [{ address: '10.0.0.1/33' }] }, 'has addresses that are none'],
    [{ ips: [{ address: '10.0.0.1/24', gateway: 'x' }] }, 'has addresses that are none'],
    [{ ips: [{ address: '10.0.0.1/24', interface: 7 }] }, 'has addresses that are none'],
    [{ ips: [{ address: '10.0.0.1/24', interface: -1 }] }, 'has addresses that are none'],
    [{ ips: Array(65).fill({ address: '10.0.0.1/24' }) }, 'has addresses that are none'],
    [{ routes: [{ dst: 'default' }] }, 'has routes that are none'],
    [{ routes: [{ dst: '::/0', gw: 1 }] }, 'has routes that are none'],
    [{ dns: [] }, 'has DNS settings that are none'],
    [{ dns: { nameservers: ['dns.example'] } }, 'has DNS settings that are none'],
    [{ dns: { search: ['a\nnameserver 192.0.2.1'] } }, 'has DNS settings that are none'],
    [{ dns: { options: ['a b'] } }, 'has DNS settings that are none'],
    [{ dns: { domain: 7 } }, 'has DNS settings that are none'],
  ])('with %j is none', (change, why) => {
    expect(parse(change)).toBe(why);
  });
});

describe("a plug-in's failure", () => {
  test('is what its error says, on one line, without control characters', () => {
    expect(cniFailure('{"code":7,"msg":"no\\n way\\u001b[31m","details":"at all"}', 'log')).toBe(
      'no way [31m: at all',
    );
  });

  test('is else the end of its log, else unknown', () => {
    expect(cniFailure('rubbish', 'first\nlast\n')).toBe('last');
    expect(cniFailure('{"msg":7}', '')).toBeUndefined();
  });
});
