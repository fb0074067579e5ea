// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { rootAt } from '../../src/base/root.ts';
import { planPorts, vmPorts } from '../../src/core/publish.ts';

const HTTP = { protocol: 'tcp', port: 80, hostIp: '', hostPort: '8080' } as const;
const FOUR = {
  ...{ network: 'db', networkId: '', interface: 'eth0', slot: 20, metric: 0, mac: '', internal: false },
  ...{ address: '10.5.0.2', prefix: 24, gateway: '10.5.0.1', mtu: 1500, bridge: '', tap: '' },
};
const DUAL = { ...FOUR, ipv6: { address: 'fd00:1::2', prefix: 64, gateway: 'fd00:1::1' } };
const IMAGE = { ExposedPorts: { '80/tcp': {}, 443: {}, '99/sctp': {} } };

describe('the ports of a container', () => {
  test('are those of the image, of --expose and of -p', () => {
    const { exposed, bindings } = planPorts(
      { publish: [HTTP], publishAll: false, expose: ['53/udp'] },
      IMAGE,
      [],
    );
    expect(exposed.sort()).toEqual(['80/tcp', '443/tcp', '99/sctp', '53/udp'].sort());
    expect(bindings).toEqual([HTTP]);
  });

  test('get with -P any port of the host, but for those that -p names', () => {
    const { bindings } = planPorts({ publish: [HTTP], publishAll: true, expose: ['53/udp'] }, IMAGE, []);
    expect(bindings).toEqual([
      HTTP,
      { protocol: 'tcp', port: 443, hostIp: '', hostPort: '' },
      { protocol: 'udp', port: 53, hostIp: '', hostPort: '' },
    ]);
  });

  test('are published by the hundred, not by the ten thousand', () => {
    const publish = Array.from({ length: 1025 }, () => HTTP);
    expect(() => planPorts({ publish, publishAll: false, expose: [] }, {}, [])).toThrow(
      '1025 ports are too many',
    );
  });

  test('lead to both addresses of a container that has two, unless one of the host is named', () => {
    const publish = (hostIp: string, network = DUAL as typeof FOUR) =>
      vmPorts(rootAt('/var/lib/hrun'), [{ ...HTTP, hostIp }], [network])?.publish.map(
        ({ host, address, address6 }) => [host, address, address6],
      );
    expect(publish('')).toEqual([['0.0.0.0', '10.5.0.2', 'fd00:1::2']]);
    expect(publish('0.0.0.0')).toEqual([['0.0.0.0', '10.5.0.2', undefined]]);
    expect(publish('::')).toEqual([['::', 'fd00:1::2', undefined]]);
    expect(publish('::1')).toEqual([['::1', 'fd00:1::2', undefined]]);
    expect(publish('', FOUR)).toEqual([['0.0.0.0', '10.5.0.2', undefined]]);
    expect(publish('::1', FOUR)).toEqual([['::1', undefined, undefined]]);
  });

  test('lead nowhere without a network that leads outside, and are there for the next', () => {
    const root = rootAt('/var/lib/hrun');
    for (const networks of [[], [{ ...FOUR, internal: true }]]) {
      expect(vmPorts(root, [HTTP], networks)).toMatchObject({
        table: expect.stringContaining('networks'),
        publish: [{ protocol: 'tcp', host: '0.0.0.0', port: 80 }],
      });
      expect(vmPorts(root, [HTTP], networks)?.publish[0]).not.toHaveProperty('address');
    }
    expect(vmPorts(root, [], [FOUR])).toBeUndefined();
  });

  test('of IPv6 are refused where the container has none', () => {
    const publish = [{ ...HTTP, hostIp: '::1' }];
    const plan = (network: typeof FOUR) =>
      planPorts({ publish, publishAll: false, expose: [] }, {}, [network]);
    expect(() => plan(FOUR)).toThrow('on the IPv6 address ::1: network db has no IPv6');
    expect(plan(DUAL).bindings).toEqual(publish);
  });
});
