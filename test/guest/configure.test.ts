// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import {
  type Configure,
  encodeConfigure,
  type GuestNic,
  hasNetworks,
  withHostname,
  withLimits,
  withNetworks,
} from '../../src/guest/index.ts';

const CONFIGURE: Configure = {
  ...{ layerSlots: [3, 4], writableSlot: 2, shareSlot: undefined, hostname: 'box', domainname: '' },
  ...{ readOnlyRoot: false, privileged: false, mounts: [], sysctls: new Map([['net.a', '1']]) },
  ...{ files: new Map([['/etc/hosts', 'text']]), maskedPaths: ['/proc/keys'], readOnlyPaths: [] },
  ...{ shmSize: 1 << 20, pidsLimit: 20, cpus: undefined, nics: [] },
};

const NONE = { pidsLimit: undefined, memoryBytes: undefined, cpus: undefined };

test('another host name, and the files that tell of it, make the payload of a container that is called so', () => {
  const files = new Map([
    ['/etc/hosts', 'new'],
    ['/etc/hostname', 'was never generated'],
  ]);
  const renamed = withHostname(encodeConfigure(CONFIGURE), 'other', files);
  const expected = { ...CONFIGURE, hostname: 'other', files: new Map([['/etc/hosts', 'new']]) };
  expect(renamed).toEqual(encodeConfigure(expected));
});

describe('other limits', () => {
  test('make the payload that a container with these limits would have had', () => {
    const payload = encodeConfigure(CONFIGURE);
    const limited = (pidsLimit?: number, from = payload) =>
      withLimits(from, { pidsLimit, memoryBytes: undefined, cpus: undefined });
    expect(limited(33)).toEqual(encodeConfigure({ ...CONFIGURE, pidsLimit: 33 }));
    const none = encodeConfigure({ ...CONFIGURE, pidsLimit: undefined });
    expect(limited()).toEqual(none);
    expect(limited(20, none)).toEqual(payload);
  });

  test('of memory replace each other, and go', () => {
    const none = encodeConfigure({ ...CONFIGURE, pidsLimit: undefined });
    const limited = withLimits(none, { ...NONE, memoryBytes: 96 << 20 });
    const tag = limited.subarray(none.length);
    expect([tag.readUInt16LE(0), tag.readBigUInt64LE(8)]).toEqual([15, BigInt(96 << 20)]);
    expect(withLimits(limited, { ...NONE, memoryBytes: 64 << 20 })).toHaveLength(limited.length);
    expect(withLimits(limited, NONE)).toEqual(none);
  });

  test('of CPUs do, too', () => {
    const none = encodeConfigure(CONFIGURE);
    const two = encodeConfigure({ ...CONFIGURE, cpus: 2 });
    const kept = { pidsLimit: 20, memoryBytes: undefined };
    expect(withLimits(none, { ...kept, cpus: 2 })).toEqual(two);
    expect(withLimits(two, { ...kept, cpus: undefined })).toEqual(none);
    const tag = two.subarray(none.length);
    expect([tag.readUInt16LE(0), tag.readUInt32LE(4), tag.readUInt32LE(8)]).toEqual([16, 4, 2]);
  });
});

describe('other networks', () => {
  const nic = (slot: number, address: string): GuestNic => ({
    ...{ slot, name: 'eth0', mac: '02:42:0a:05:00:02', mtu: 1500, metric: 0 },
    ...{ addresses: [{ address, prefix: 24 }], gateways: ['10.5.0.1'] },
  });
  const payload = encodeConfigure({ ...CONFIGURE, nics: [nic(19, '10.5.0.2'), nic(20, '10.6.0.2')] });

  test('replace those that were there, and the contents of generated files', () => {
    const nics = [nic(21, '10.7.0.2')];
    const files = new Map([
      ['/etc/hosts', 'new'],
      ['/etc/resolv.conf', 'was never generated'],
    ]);
    const changed = withNetworks(payload, nics, files);
    const expected = encodeConfigure({ ...CONFIGURE, nics, files: new Map([['/etc/hosts', 'new']]) });
    expect(changed).toHaveLength(expected.length);
    expect(withNetworks(expected, nics, new Map())).toEqual(withNetworks(changed, nics, new Map()));
    expect([hasNetworks(changed, nics), hasNetworks(changed, []), hasNetworks(payload, nics)]).toEqual([
      true,
      false,
      false,
    ]);
  });

  test('can be none', () => {
    expect(withNetworks(payload, [], new Map())).toEqual(encodeConfigure(CONFIGURE));
  });

  test('cannot be more than fits into the payload', () => {
    const files = new Map([['/etc/hosts', 'x'.repeat((1 << 20) - 64)]]);
    expect(() => withNetworks(payload, [], files)).toThrow('networks and files take');
  });
});
