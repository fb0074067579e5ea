// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Root, rootAt } from '../../src/base/root.ts';
import { listLeases, releaseLeases, takeLease } from '../../src/network/leases.ts';
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
  subnet: '10.5.0.0/29',
  gateway: undefined,
  ipRange: undefined,
  mtu: 1500,
  internal: false,
  labels: {},
  options: {},
};
const [A, B] = ['a'.repeat(64), 'b'.repeat(64)];

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
      subnet: '10.6.0.0/24',
      ipRange: '10.6.0.128/30',
    });
    const given = [];
    for (let i = 0; i < 4; i++) given.push(await takeLease(root, ranged, A, undefined));
    expect(given).toEqual(['10.6.0.128', '10.6.0.129', '10.6.0.130', '10.6.0.131']);
    await expect(takeLease(root, ranged, A, undefined)).rejects.toMatchObject({ code: 'ADDRESS_IN_USE' });
    expect(await takeLease(root, ranged, A, '10.6.0.9')).toBe('10.6.0.9');
  });
});

describe('networks', () => {
  test('have bridges and subnets of their own', async () => {
    const other = await createNetwork(root, { ...WANTED, name: 'other', subnet: undefined });
    expect(other.bridge).not.toBe(network.bridge);
    expect(other.bridge).toMatch(/^hr[0-9a-f]{6}-1$/);
    expect(other.gateway).toBe(other.subnet.replace('.0.0/16', '.0.1'));
    await expect(
      createNetwork(root, { ...WANTED, name: 'third', subnet: '10.5.0.0/24' }),
    ).rejects.toMatchObject({
      code: 'ADDRESS_IN_USE',
    });
    await expect(createNetwork(root, WANTED)).rejects.toMatchObject({ code: 'NAME_IN_USE' });
  });

  test.each([
    { subnet: '10.7.0.1/24' },
    { subnet: '10.7.0.0/30' },
    { subnet: '10.7.0.0/24', gateway: '10.8.0.1' },
    { subnet: '10.7.0.0/24', gateway: '10.7.0.255' },
    { subnet: '10.7.0.0/24', ipRange: '10.7.0.0/23' },
    { subnet: '10.7.0.0/24', ipRange: '10.8.0.0/25' },
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
