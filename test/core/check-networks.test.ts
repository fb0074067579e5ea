// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Findings } from '../../src/base/finding.ts';
import { type Root, rootAt } from '../../src/base/root.ts';
import { settingsPath } from '../../src/base/settings.ts';
import { containerDirectory, lockForMaking, newContainerId } from '../../src/container/index.ts';
import { checkNetworks } from '../../src/core/check-networks.ts';
import { defaultNetwork, withNetworks } from '../../src/core/join-networks.ts';
import { leasePath, listLeases, type Network, takeLeases } from '../../src/network/index.ts';

let root: Root;
let network: Network;

beforeEach(async () => {
  root = rootAt(mkdtempSync(join(tmpdir(), 'hrun-check-networks-')));
  (await lockForMaking(root)).release();
  network = await withNetworks(root, () => defaultNetwork(root));
});
afterEach(() => rmSync(root.dir, { recursive: true }));

/** A container that says that it has this address. */
function member(address: string): string {
  const id = newContainerId();
  mkdirSync(settingsPath(containerDirectory(root, id)), { recursive: true });
  const config = { version: 1, id, name: 'web', networks: [{ networkId: network.id, address }] };
  writeFileSync(settingsPath(containerDirectory(root, id), 'config.json'), JSON.stringify(config));
  return id;
}

const lease = (id: string, address: string) =>
  withNetworks(root, () => takeLeases(root, network, id, { ip: address, ip6: undefined }));

async function look(repair: boolean): Promise<Findings> {
  const findings = new Findings(repair);
  await checkNetworks(root, findings);
  return findings;
}

test('what is as it should be is not mentioned', async () => {
  await lease(member('172.31.0.2'), '172.31.0.2');
  expect((await look(false)).list).toEqual([]);
});

test('an address of a container that is gone, or does not have it, is taken back', async () => {
  const there = member('172.31.0.2');
  await lease(there, '172.31.0.2');
  await lease(there, '172.31.0.3');
  await lease(newContainerId(), '172.31.0.4');
  expect((await look(false)).list).toMatchObject([{ kind: 'note', state: 'repairable' }, { kind: 'note' }]);
  expect((await look(true)).damaged).toBe(false);
  expect(listLeases(root, network)).toEqual([{ address: '172.31.0.2', id: there }]);
  expect((await look(false)).list).toEqual([]);
});

test('an address that a container has without a lease is leased to it, unless another has that', async () => {
  const first = member('172.31.0.2');
  expect(await look(true)).toMatchObject({ damaged: false, list: [{ kind: 'damage', state: 'repaired' }] });
  expect(listLeases(root, network)).toEqual([{ address: '172.31.0.2', id: first }]);
  member('172.31.0.2');
  const { list, damaged } = await look(true);
  expect(list).toMatchObject([{ where: leasePath(root, network, '172.31.0.2'), state: 'left' }]);
  expect(damaged).toBe(true);
});

test('a network that cannot be read is left to the user', async () => {
  mkdirSync(join(root.networks, 'db'));
  writeFileSync(join(root.networks, 'db/network.json'), '{');
  expect((await look(true)).list).toMatchObject([{ where: join(root.networks, 'db'), state: 'left' }]);
});
