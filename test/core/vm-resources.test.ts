// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { ContainerConfig } from '../../src/container/index.ts';
import { vmResources, wantsHostLimits } from '../../src/core/vm-resources.ts';

const MIB = 1024 * 1024;
const NO_RATES = { readBps: [], writeBps: [], readIops: [], writeIops: [] };

function container(host: object, memoryMiB = 1024, vcpus = 1): Pick<ContainerConfig, 'resources' | 'host'> {
  const none = {
    memory: 0,
    memorySwap: 0,
    cpus: 0,
    cpuQuota: 0,
    cpuShares: 0,
    cpuPeriod: 0,
    cpusetCpus: '',
    deviceRates: NO_RATES,
  };
  return {
    resources: { memoryMiB, vcpus },
    host: { ...none, ...host } as unknown as ContainerConfig['host'],
  };
}

const resourcesOf = (host: object, engine: 'qemu' | 'kvm' = 'qemu') =>
  vmResources(container(host), { engine, disks: 2 });

describe("the limits of the host's control group", () => {
  test('cover the guest, what maps it and what runs it, whether limits were asked for or not', () => {
    expect(resourcesOf({})).toEqual({ memoryMax: (1024 + 384 + 8) * MIB, pidsMax: 97 });
    expect(resourcesOf({}, 'kvm')).toEqual({ memoryMax: (1024 + 64 + 8) * MIB, pidsMax: 1 + 8 + 4 * 2 });
  });

  test('take CPU time as asked, and never less than the kernel takes', () => {
    expect(resourcesOf({ cpus: 1.5 }).cpuMax).toBe(150_000);
    expect(resourcesOf({ cpus: 0.01 }).cpuMax).toBe(1000);
  });

  test('take a quota in a period as it is, and none for a period alone or a quota of any', () => {
    expect(resourcesOf({ cpuQuota: 5000, cpuPeriod: 20_000 })).toMatchObject({
      cpuMax: 5000,
      cpuPeriod: 20_000,
    });
    expect(resourcesOf({ cpuQuota: 50_000 })).toMatchObject({ cpuMax: 50_000, cpuPeriod: 100_000 });
    expect(resourcesOf({ cpuPeriod: 20_000 })).not.toHaveProperty('cpuMax');
    expect(resourcesOf({ cpuQuota: -1 })).not.toHaveProperty('cpuMax');
  });

  test('of swap are what exceeds memory', () => {
    expect(resourcesOf({ memory: 512 * MIB, memorySwap: 512 * MIB }).swapMax).toBe(0);
    expect(resourcesOf({ memory: 512 * MIB, memorySwap: 768 * MIB }).swapMax).toBe(256 * MIB);
    expect(resourcesOf({ memory: 512 * MIB, memorySwap: -1 })).not.toHaveProperty('swapMax');
  });

  test('of a device are named by its number, all of one device together', (context) => {
    const disk = ['vda', 'sda', 'nvme0n1', 'zram0'].find((name) => existsSync(`/dev/${name}`));
    if (disk === undefined) return context.skip('this host shows no disk under /dev');
    const path = `/dev/${disk}`;
    const deviceRates = { ...NO_RATES, readBps: [{ path, rate: MIB }], writeIops: [{ path, rate: 10 }] };
    const device = readFileSync(`/sys/block/${disk}/dev`, 'utf8').trim();
    expect(resourcesOf({ deviceRates }).devices).toEqual([{ device, readBps: MIB, writeIops: 10 }]);
  });

  test('of what is no block device are refused', () => {
    for (const path of ['/dev/null', '/dev/nonesuch'])
      expect(() => resourcesOf({ deviceRates: { ...NO_RATES, readBps: [{ path, rate: 1 }] } })).toThrow(
        `${path} is not a block device of this host`,
      );
  });

  test('are wanted when more than a size was asked for', () => {
    expect(wantsHostLimits(container({ memory: MIB }).host)).toBe(false);
    expect(wantsHostLimits(container({ cpus: 0.5 }).host)).toBe(true);
    expect(wantsHostLimits(container({ cpuQuota: 5000 }).host)).toBe(true);
    expect(wantsHostLimits(container({ cpuShares: 512 }).host)).toBe(true);
    expect(wantsHostLimits(container({ deviceRates: { ...NO_RATES, readBps: [{}] } }).host)).toBe(true);
  });
});
