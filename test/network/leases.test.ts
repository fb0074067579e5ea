// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Root, rootAt } from '../../src/base/root.ts';
import { listLeases, releaseLeases, takeLeases } from '../../src/network/leases.ts';
import type { Network } from '../../src/network/network.ts';
import {
  createNetwork,
  deleteNetwork,
  findNetwork,
  listNetworks,
  lockNetworks,
} from '../../src/network/store.ts';

const WANTED = {
  name: 'net',
  ipv6: false,
  subnets: ['10.5.0.0/29'],
  gateways: [],
  ipRanges: [],
  mtu: 1500,
  internal: false,
  labels: {},
  options: {},
};
const [A, B] = ['a'.repeat(64), 'b'.repeat(64)];

const takeLease = async (store: Root, from: Network, id: string, ip: string | undefined) =>
  (await takeLeases(store, from, id, { ip, ip6: undefined })).address;

let root: Root;
let network: Network;

beforeEach(async () => {
  root = rootAt(mkdtempSync(join(tmpdir(), 'hrun-networks-')));
  (await lockNetworks(root)).release();
  network = await createNetwork(root, WANTED);
});
afterEach(() => rmSync(root.dir, { recursive: true }));

describe('addresses', () => {
  test('are given from the lowest on, the gateway and the subnet’s own left out, until none is left', async () => {
    const given = [];
    for (let i = 0; i < 5; i++) given.push(await takeLease(root, network, A, undefined));
    expect(given).toEqual(['10.5.0.2', '10.5.0.3', '10.5.0.4', '10.5.0.5', '10.5.0.6']);
    await expect(takeLease(root, network, B, undefined)).rejects.toMatchObject({ code: 'ADDRESS_IN_USE' });
  });

  test('are free again once released, those of others are not', async () => {
    await takeLease(root, network, A, undefined);
    await takeLease(root, network, B, undefined);
    releaseLeases(root, network, (id) => id === A);
    expect(listLeases(root, network)).toEqual([{ address: '10.5.0.3', id: B }]);
    expect(await takeLease(root, network, B, undefined)).toBe('10.5.0.2');
  });

  test('are given as asked for, once, and only within the subnet', async () => {
    expect(await takeLease(root, network, A, '10.5.0.6')).toBe('10.5.0.6');
    await expect(takeLease(root, network, B, '10.5.0.6')).rejects.toMatchObject({ code: 'ADDRESS_IN_USE' });
    await expect(takeLease(root, network, B, '10.5.0.1')).rejects.toMatchObject({ code: 'ADDRESS_IN_USE' });
    for (const address of ['10.5.0.7', '10.5.0.0', '10.6.0.2', 'x', '../escape']) {
      await expect(takeLease(root, network, B, address)).rejects.toMatchObject({ code: 'USAGE' });
    }
  });

  test('come from the range of the network', async () => {
    const ranged = await createNetwork(root, {
      ...WANTED,
      name: 'ranged',
      subnets: ['10.6.0.0/24'],
      ipRanges: ['10.6.0.128/30'],
    });
    const given = [];
    for (let i = 0; i < 4; i++) given.push(await takeLease(root, ranged, A, undefined));
    expect(given).toEqual(['10.6.0.128', '10.6.0.129', '10.6.0.130', '10.6.0.131']);
    await expect(takeLease(root, ranged, A, undefined)).rejects.toMatchObject({ code: 'ADDRESS_IN_USE' });
    expect(await takeLease(root, ranged, A, '10.6.0.9')).toBe('10.6.0.9');
  });
});

describe('IPv6 addresses', () => {
  const DUAL = { ...WANTED, name: 'dual', ipv6: true, subnets: ['10.6.0.0/24', 'fd00:1::/64'] };
  const take = async (from: Network, more: { ip?: string; ip6?: string } = {}) => {
    const { address, address6 } = await takeLeases(root, from, A, { ip: more.ip, ip6: more.ip6 });
    return [address, address6];
  };

  test('go with the IPv4 address, unless that place is taken', async () => {
    const dual = await createNetwork(root, DUAL);
    expect(dual.ipv6).toEqual({ subnet: 'fd00:1::/64', gateway: 'fd00:1::1', ipRange: undefined });
    expect(await take(dual)).toEqual(['10.6.0.2', 'fd00:1::2']);
    expect(await take(dual, { ip: '10.6.0.200' })).toEqual(['10.6.0.200', 'fd00:1::c8']);
    expect(await take(dual, { ip6: 'fd00:1:0:0::0004' })).toEqual(['10.6.0.3', 'fd00:1::4']);
    expect(await take(dual)).toEqual(['10.6.0.4', 'fd00:1::3']);
    expect(listLeases(root, dual).map(({ address }) => address)).toHaveLength(8);
    releaseLeases(root, dual, (id) => id === A);
    expect(listLeases(root, dual)).toEqual([]);
  });

  test('come from a range and are given as asked for, once, and only within the subnet', async () => {
    const ranged = await createNetwork(root, { ...DUAL, ipRanges: ['fd00:1::f0/127'] });
    expect(await take(ranged)).toEqual(['10.6.0.2', 'fd00:1::f0']);
    expect(await take(ranged)).toEqual(['10.6.0.3', 'fd00:1::f1']);
    await expect(take(ranged)).rejects.toMatchObject({ code: 'ADDRESS_IN_USE' });
    expect(await take(ranged, { ip6: 'fd00:1::2' })).toEqual(['10.6.0.4', 'fd00:1::2']);
    for (const ip6 of ['fd00:1::f0', 'fd00:1::1'])
      await expect(take(ranged, { ip6 })).rejects.toMatchObject({ code: 'ADDRESS_IN_USE' });
    for (const ip6 of ['fd00:1::', 'fd00:2::2', 'x', '10.6.0.9', 'fd00:1::2%eth0'])
      await expect(take(ranged, { ip6 })).rejects.toMatchObject({ code: 'USAGE' });
    await expect(take(network, { ip6: 'fd00:1::9' })).rejects.toThrow('network net has no IPv6');
    expect(listLeases(root, network)).toEqual([]);
  });

  test('are local ones of nobody else without a subnet', async () => {
    const made = await Promise.all(
      ['a', 'b'].map((name, at) => createNetwork(root, { ...DUAL, name, subnets: [`10.${7 + at}.0.0/24`] })),
    );
    const [one, other] = made.map(({ ipv6 }) => ipv6!.subnet);
    expect(one).toMatch(/^fd[0-9a-f]{2}:[0-9a-f:]+::\/64$/);
    expect(other).not.toBe(one);
    await expect(
      createNetwork(root, { ...DUAL, name: 'c', subnets: ['10.9.0.0/24', one!.replace('/64', '/80')] }),
    ).rejects.toMatchObject({ code: 'ADDRESS_IN_USE' });
  });
});

describe('networks', () => {
  test('have bridges and subnets of their own', async () => {
    const other = await createNetwork(root, { ...WANTED, name: 'other', subnets: [] });
    expect(other.bridge).not.toBe(network.bridge);
    expect(other.bridge).toMatch(/^hr[0-9a-f]{6}-1$/);
    expect(other.gateway).toBe(other.subnet.replace('.0.0/16', '.0.1'));
    await expect(
      createNetwork(root, { ...WANTED, name: 'third', subnets: ['10.5.0.0/24'] }),
    ).rejects.toMatchObject({
      code: 'ADDRESS_IN_USE',
    });
    await expect(createNetwork(root, WANTED)).rejects.toMatchObject({ code: 'NAME_IN_USE' });
  });

  test.each([
    { subnets: ['10.7.0.1/24'] },
    { subnets: ['10.7.0.0/30'] },
    { subnets: ['10.7.0.0/24', '10.8.0.0/24'] },
    { subnets: ['10.7.0.0/24'], gateways: ['10.8.0.1'] },
    { subnets: ['10.7.0.0/24'], gateways: ['10.7.0.255'] },
    { subnets: ['10.7.0.0/24'], ipRanges: ['10.7.0.0/23'] },
    { subnets: ['10.7.0.0/24'], ipRanges: ['10.8.0.0/25'] },
    { subnets: ['fd00:1::/64'] },
    { ipv6: true, subnets: ['fd00:1::1/64'] },
    { ipv6: true, subnets: ['fd00:1::/126'] },
    { ipv6: true, subnets: ['fe80::/64'] },
    { ipv6: true, subnets: ['::ffff:0:0/96'] },
    { ipv6: true, subnets: ['fd00:1::/64', 'fd00:2::/64'] },
    { ipv6: true, subnets: ['fd00:1::/64'], gateways: ['fd00:2::1'] },
    { ipv6: true, subnets: ['fd00:1::/64'], gateways: ['fd00:1::'] },
    { ipv6: true, subnets: ['fd00:1::/64'], ipRanges: ['fd00:1::/63'] },
  ])('with %j are refused', async (addresses) => {
    await expect(createNetwork(root, { ...WANTED, name: 'bad', ...addresses })).rejects.toMatchObject({
      code: 'USAGE',
    });
    expect(listNetworks(root).map(({ name }) => name)).toEqual(['net']);
  });

  test('are found by name and by the beginning of their id, and gone once deleted', async () => {
    expect(findNetwork(root, 'net')).toEqual(network);
    expect(findNetwork(root, network.id.slice(0, 12))).toEqual(network);
    await deleteNetwork(root, 'net');
    expect(() => findNetwork(root, 'net')).toThrow('network net not found');
  });
});
