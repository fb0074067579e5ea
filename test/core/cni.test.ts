// SPDX-License-Identifier: Apache-2.0
import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { rootAt } from '../../src/base/root.ts';
import { cniRequest } from '../../src/core/cni.ts';
import { checkGiven, cniMembership } from '../../src/core/cni-membership.ts';
import { cniPlaces } from '../../src/core/cni-places.ts';
import type { ContainerOptions, NetworkRequest } from '../../src/core/container-options.ts';
import { chooseHostPorts } from '../../src/core/host-ports.ts';
import { guestNetwork, guestNics } from '../../src/core/network-membership.ts';
import { vmPorts } from '../../src/core/publish.ts';

const ATTACHMENT = {
  namespace: '/run/netns/hrun-1',
  facts: {
    mac: '02:42:0a:01:00:05',
    mtu: 1400,
    up: true,
    addresses: [
      { address: '10.1.0.5/24', connected: true },
      { address: '10.8.0.5/32', connected: false },
      { address: 'fd00::5/64', connected: true },
    ],
    routes: [
      { destination: '0.0.0.0/0', gateway: '10.1.0.1', onLink: false, metric: 0 },
      { destination: '169.254.1.1/32', gateway: null, onLink: false, metric: 0 },
      { destination: '::/0', gateway: 'fd00::1', onLink: true, metric: 1024 },
    ],
  },
  result: { raw: {}, addresses: [], dns: { servers: ['10.1.1.1'], search: ['lan'], options: [] } },
};
const NO_DNS = { servers: [], search: [], options: [] };

const asked = (first: Partial<NetworkRequest>, others: Partial<NetworkRequest>[] = [], options = {}) =>
  cniRequest({
    networks: [{ aliases: [], ...first }, ...others],
    ...options,
  } as unknown as ContainerOptions);

describe('--network cni:NAME', () => {
  test('is meant by what begins so', () => {
    expect(asked({ network: 'cni:blue' })).toMatchObject({ network: 'cni:blue' });
    expect(asked({ network: 'blue' })).toBeUndefined();
  });

  test.each([
    [{}, [{ network: 'db' }], {}, 'cni:blue goes with no other network'],
    [{}, [], { egress: { subnets: [], names: [] } }, '--egress cannot hold in cni:blue'],
    [{ aliases: ['x'] }, [], {}, '--network-alias cannot be had'],
    [{ ip: 'fd00::1' }, [], {}, '--ip fd00::1 is no IPv4 address'],
    [{ ip6: '10.0.0.1' }, [], {}, '--ip6 10.0.0.1 is no IPv6 address'],
    [{ macAddress: '01:00:00:00:00:00' }, [], {}, 'invalid MAC address'],
  ])('with %j, %j and %j is refused', (first, others, options, message) => {
    expect(() => asked({ network: 'cni:blue', ...first }, others, options)).toThrow(message);
  });
});

describe('what plug-ins have made', () => {
  const member = cniMembership('cni:blue', ATTACHMENT, 19);

  test('is what the guest is given, route by route', () => {
    expect(member).toMatchObject({ address: '10.1.0.5', prefix: 24, gateway: '10.1.0.1', mtu: 1400 });
    expect(member.ipv6).toEqual({ address: 'fd00::5', prefix: 64, gateway: 'fd00::1' });
    expect(guestNics([member])).toEqual([
      {
        ...{ slot: 19, name: 'eth0', mac: '02:42:0a:01:00:05', mtu: 1400, metric: 0, gateways: [] },
        addresses: [
          { address: '10.1.0.5', prefix: 24 },
          { address: '10.8.0.5', prefix: 32, apart: true },
          { address: 'fd00::5', prefix: 64 },
        ],
        routes: [
          { address: '0.0.0.0', prefix: 0, gateway: '10.1.0.1', metric: 0 },
          { address: '169.254.1.1', prefix: 32, metric: 0 },
          { address: '::', prefix: 0, gateway: 'fd00::1', onLink: true, metric: 1024 },
        ],
      },
    ]);
  });

  test("says whom to ask for names, unless the user does, and nothing of the host's", () => {
    expect(guestNetwork([member], NO_DNS)).toMatchObject({
      addresses: ['10.1.0.5', '10.8.0.5', 'fd00::5'],
      resolvers: 'nameserver 10.1.1.1\nsearch lan\n',
    });
    expect(guestNetwork([member], { ...NO_DNS, servers: ['192.0.2.9'] })!.resolvers).toContain(
      'nameserver 192.0.2.9\n',
    );
  });

  test('must be what was asked for', () => {
    expect(() =>
      checkGiven({ network: 'cni:blue', ip: '10.1.0.5', ip6: 'fd00::5' }, ATTACHMENT),
    ).not.toThrow();
    expect(() => checkGiven({ network: 'cni:blue', ip: '10.1.0.6' }, ATTACHMENT)).toThrow(
      'cni:blue did not give the container the address 10.1.0.6',
    );
    expect(() => checkGiven({ network: 'cni:blue', mac: '02:00:00:00:00:01' }, ATTACHMENT)).toThrow(
      'the MAC address 02:00:00:00:00:01',
    );
  });

  test('has its ports held, not ruled', () => {
    const ports = [{ protocol: 'tcp' as const, port: 80, hostIp: '', hostPort: '8080' }];
    const published = vmPorts(rootAt('/r'), [], [{ ...member, cni: { ...member.cni!, ports } }]);
    expect(published).toEqual({
      held: true,
      publish: [
        {
          ...{ protocol: 'tcp', port: 80, host: '0.0.0.0', firstHostPort: 8080, lastHostPort: 8080 },
          ...{ address: '10.1.0.5', address6: 'fd00::5' },
        },
      ],
    });
  });
});

describe('ports of the host', () => {
  const binding = (hostPort: string, protocol: 'tcp' | 'udp' = 'tcp') => ({
    ...{ protocol, port: 80, hostIp: '127.0.0.1', hostPort },
  });

  test('are chosen among those that are free, each once', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    try {
      await expect(chooseHostPorts([binding(String(port))])).rejects.toThrow(
        `Bind for 127.0.0.1:${port} failed: port is already allocated`,
      );
      const [first, second, third] = await chooseHostPorts([binding(''), binding(''), binding('', 'udp')]);
      expect(Number(first!.hostPort)).toBeGreaterThan(0);
      expect(second!.hostPort).not.toBe(first!.hostPort);
      expect(third!.protocol).toBe('udp');
    } finally {
      server.close();
    }
  });
});

test('lists and plug-ins are where the environment says, else where packages put them', async () => {
  expect(await cniPlaces({ HRUN_CONFIG: '/dev/null/none' }).catch((error) => error.code)).toBe('CONFIG');
  const env = { XDG_CONFIG_HOME: '/nowhere', NETCONFPATH: '/n', CNI_PATH: '/a:/b' };
  expect(await cniPlaces(env)).toEqual({ configDirectory: '/n', pluginDirectories: ['/a', '/b'] });
  expect(await cniPlaces({ XDG_CONFIG_HOME: '/nowhere' })).toEqual({
    configDirectory: '/etc/cni/net.d',
    pluginDirectories: ['/opt/cni/bin', '/usr/lib/cni', '/usr/libexec/cni'],
  });
});
