// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Root, rootAt } from '../../src/base/root.ts';
import type { ContainerOptions } from '../../src/core/container-options.ts';
import {
  checkMemory,
  checkMounts,
  layersIn,
  sharedMachine,
  sharesMachine,
} from '../../src/core/shared-machine.ts';

let root: Root;

beforeEach(() => {
  root = rootAt(mkdtempSync(join(tmpdir(), 'hrun-shared-')));
});
afterEach(() => rmSync(root.dir, { recursive: true }));

const PLAIN = {
  domainname: '',
  dns: { servers: [], search: [], options: [] },
  extraHosts: [],
  publish: [],
  publishAll: false,
  expose: [],
  deviceRates: { readBps: [], writeBps: [], readIops: [], writeIops: [] },
  restart: { name: 'no', maximumRetries: 0 },
};

const asked = (options: object, networks: object[] = [{ network: 'container:web', aliases: [] }]) =>
  sharedMachine(root, { ...PLAIN, networks, ...options } as unknown as ContainerOptions);

describe('--network container:NAME', () => {
  test('is not meant by any other network', async () => {
    expect(await asked({}, [{ network: 'bridge', aliases: [] }])).toBeUndefined();
    expect(await asked({}, [])).toBeUndefined();
  });

  test('of nobody is no such container', async () => {
    await expect(asked({})).rejects.toMatchObject({ code: 'NO_SUCH_CONTAINER' });
  });

  test.each([
    [{ hostname: 'other' }, 'hostname and the network mode'],
    [{ domainname: 'example' }, 'domainname and the network mode'],
    [{ dns: { servers: ['192.0.2.1'], search: [], options: [] } }, 'dns and the network mode'],
    [{ extraHosts: ['db:192.0.2.1'] }, 'custom host-to-IP mapping and the network mode'],
    [{ publish: [{ port: 80 }] }, 'port publishing and the container type network mode'],
    [{ publishAll: true }, 'port publishing and the container type network mode'],
    [{ expose: ['80/tcp'] }, 'port exposing and the container type network mode'],
    [{ networkRates: { in: 1, out: 1 } }, 'network-bps and the network mode'],
    [{ egress: { subnets: [], names: [] } }, 'egress and the network mode'],
    [{ cpus: 1 }, 'cpus and the network mode'],
    [{ cpusetCpus: '0' }, 'cpus and the network mode'],
    [{ memorySwap: -1 }, 'memory-swap and the network mode'],
    [{ deviceRates: { readBps: [{ path: '/dev/sda', rate: 1 }] } }, 'device rates and the network mode'],
    [{ restart: { name: 'always', maximumRetries: 0 } }, 'restart and the network mode'],
  ])('contradicts %j', async (options, conflict) => {
    await expect(asked(options)).rejects.toMatchObject({
      code: 'USAGE',
      message: `conflicting options: ${conflict}`,
    });
  });

  test.each([
    [{ ip: '10.0.0.1' }, 'ip and the network mode'],
    [{ macAddress: '02:42:ac:1f:00:05' }, 'mac-address and the network mode'],
    [{ aliases: ['db'] }, 'network-alias and the network mode'],
  ])('contradicts %j of its network', async (request, conflict) => {
    await expect(asked({}, [{ network: 'container:web', aliases: [], ...request }])).rejects.toMatchObject({
      message: `conflicting options: ${conflict}`,
    });
  });

  test('goes with no other network, and names somebody', async () => {
    const two = [
      { network: 'db', aliases: [] },
      { network: 'container:web', aliases: [] },
    ];
    await expect(asked({}, two)).rejects.toMatchObject({ code: 'USAGE' });
    await expect(asked({}, [{ network: 'container:', aliases: [] }])).rejects.toMatchObject({
      message: 'invalid container format container:<name|id>',
    });
  });

  test('limits memory below that of the machine, and to nothing more', () => {
    const machine = { name: 'web', memoryMiB: 512 };
    expect(checkMemory(undefined, machine)).toBeUndefined();
    expect(checkMemory(64 << 20, machine)).toBe(64 << 20);
    expect(checkMemory(512 << 20, machine)).toBeUndefined();
    expect(() => checkMemory(513 << 20, machine)).toThrow('the machine of web has 512 MiB');
  });

  test('brings no directories of the host, and few layers', () => {
    const mounts = { share: undefined, disks: [], mounts: [], layers: 16 };
    expect(() => checkMounts(mounts)).not.toThrow();
    const share = { slot: 18, daemon: '/virtiofsd', paths: [{ path: '/srv', readOnly: true }] };
    expect(() => checkMounts({ ...mounts, share })).toThrow('/srv cannot be mounted');
    expect(layersIn(undefined, mounts)).toBe(16);
    expect(layersIn({ name: 'web' } as never, mounts)).toBe(6);
  });

  test('is known by its mode', () => {
    expect([{ network: 'container:ab' }, { network: 'none' }].map(sharesMachine)).toEqual([true, false]);
  });
});
