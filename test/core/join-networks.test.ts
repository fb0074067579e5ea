// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Root, rootAt } from '../../src/base/root.ts';
import { containerDirectory, lockForMaking, newContainerId } from '../../src/container/index.ts';
import type { ContainerOptions, NetworkRequest } from '../../src/core/container-options.ts';
import { guestFiles } from '../../src/core/guest-files.ts';
import {
  defaultNetwork,
  networkRequests,
  sweepNetworks,
  withNetworks,
} from '../../src/core/join-networks.ts';
import { listLeases, takeLeases } from '../../src/network/index.ts';

const ANY = { ip: undefined, ip6: undefined };

let root: Root;

beforeEach(() => {
  root = rootAt(mkdtempSync(join(tmpdir(), 'hrun-join-')));
});
afterEach(() => rmSync(root.dir, { recursive: true }));

const asked = (...networks: Partial<NetworkRequest>[]) =>
  networkRequests({
    publish: [],
    networks: networks.map((each) => ({ aliases: [], ...each })),
  } as unknown as ContainerOptions);

describe('leases whose container is gone', () => {
  test('are taken back, but not while a container is being made, nor from one that is there', async () => {
    const [there, gone] = [newContainerId(), newContainerId()];
    const making = await lockForMaking(root);
    mkdirSync(containerDirectory(root, there));
    const network = await withNetworks(root, () => defaultNetwork(root));
    await withNetworks(root, () => takeLeases(root, network, there, ANY));
    await withNetworks(root, () => takeLeases(root, network, gone, ANY));
    await sweepNetworks(root);
    expect(listLeases(root, network)).toHaveLength(2);
    making.release();
    await sweepNetworks(root);
    expect(listLeases(root, network).map(({ id }) => id)).toEqual([there]);
  });
});

describe('--network', () => {
  test('host is refused with what to do instead', () => {
    expect(() => asked({ network: 'host' })).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }));
  });

  test('none cannot have an address', () => {
    expect(asked({ network: 'none' })).toEqual([]);
    expect(() => asked({ network: 'none', ip: '10.0.0.2' })).toThrow('--ip and --mac-address need a network');
  });

  test('none cannot be one of several', () => {
    expect(() => asked({ network: 'none' }, { network: 'db' })).toThrow(
      'cannot attach both user-defined and non-user-defined network-modes',
    );
  });
});

describe('/etc/hosts', () => {
  const identity = { hostname: 'web', domainname: '', extraHosts: ['up:host-gateway'] };

  test('has the address in each network, and the host’s where it is asked for', () => {
    const network = { addresses: ['172.31.0.2', '10.5.0.2'], gateway: '172.31.0.1', resolvers: '' };
    const hosts = guestFiles({ ...identity, network }).get('/etc/hosts')!;
    expect(hosts).toContain('172.31.0.2\tweb\n10.5.0.2\tweb\n172.31.0.1\tup\n');
  });

  test('cannot name the gateway without a network', () => {
    expect(() => guestFiles({ ...identity, network: undefined })).toThrow(
      'invalid --add-host "up:host-gateway"',
    );
  });
});
