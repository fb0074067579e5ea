// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { filteredNetworks } from '../../src/core/network-filters.ts';
import { createNetwork, type Network, takeLeases } from '../../src/network/index.ts';
import { lockNetworks } from '../../src/network/store.ts';
import { temporaryRoot } from '../fixtures/store-root.ts';

describe('network ls --filter', () => {
  test("knows Docker's keys", async () => {
    await using root = await temporaryRoot();
    (await lockNetworks(root)).release();
    const make = (name: string, subnet: string, labels = {}): Promise<Network> =>
      createNetwork(root, {
        ...{ name, ipv6: false, subnets: [subnet], gateways: [], ipRanges: [], mtu: 1500, internal: false },
        ...{ labels, options: {} },
      });
    const all = [
      await make('bridge', '192.0.2.0/26'),
      await make('back', '192.0.2.64/26', { team: 'red', stage: 'test' }),
      await make('front', '192.0.2.128/26', { team: 'red' }),
    ];
    await takeLeases(root, all[2]!, 'c'.repeat(64), { ip: undefined, ip6: undefined });
    const names = (...filters: string[]) => filteredNetworks(root, all, filters).map(({ name }) => name);
    expect(names()).toEqual(['bridge', 'back', 'front']);
    expect(names('name=ac')).toEqual(['back']);
    expect(names('name=ac', 'name=fro')).toEqual(['back', 'front']);
    expect(names('label=team=red')).toEqual(['back', 'front']);
    expect(names('label=team', 'label=stage')).toEqual(['back']);
    expect(names('type=builtin')).toEqual(['bridge']);
    expect(names('dangling=true')).toEqual(['back']);
    expect(names('driver=overlay')).toEqual([]);
    expect(names(`id=${all[1]!.id.slice(0, 12)}`, 'scope=local')).toEqual(['back']);
    expect(() => names('colour=red')).toThrow('"colour=red" is not a filter');
  });
});
