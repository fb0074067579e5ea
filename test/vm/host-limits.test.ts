// SPDX-License-Identifier: Apache-2.0
// -m, --cpus and the other limits: the guest's size, and the host's control group around its VM.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkIsolation, findAssets } from '../../src/vm/index.ts';
import { groupDirectories, limitOf } from './control-groups.ts';
import { FIXTURES, TestStore } from './hrun.ts';

const MIB = 1024 * 1024;
const host = checkIsolation(findAssets().monitor);

const store = new TestStore();
beforeAll(() => store.load(FIXTURES));
afterAll(() => store.remove());

async function started(...options: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await store.hrun(['run', '-d', ...options, 'busybox', 'sleep', '600']);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  return stdout.trim();
}

describe('limits', () => {
  test('stand in the control group of the VM from its start, and in inspect', async ({ skip }) => {
    if (host.controlGroup !== '') skip(`this host cannot limit VMs: ${host.controlGroup}`);
    const id = await started('-m', '128m', '--memory-swap=128m', '--cpus', '0.5', '--cpuset-cpus', '0');
    const memory = (128 + 384 + 1) * MIB;
    expect(limitOf(id, 'memory.max', 'memory.limit_in_bytes')).toBe(String(memory));
    expect(limitOf(id, 'memory.swap.max', 'memory.memsw.limit_in_bytes')).toMatch(
      new RegExp(`^(0|${memory})$`),
    );
    expect(limitOf(id, 'cpu.max', 'cpu.cfs_quota_us')).toMatch(/^50000\b/);
    expect(limitOf(id, 'cpuset.cpus')).toBe('0');
    expect(limitOf(id, 'pids.max')).toBe('97');
    const { stdout } = await store.hrun(['inspect', '-f', '{{json .HostConfig}}', id]);
    expect(JSON.parse(stdout)).toMatchObject({
      ...{ Memory: 128 * MIB, MemorySwap: 128 * MIB, NanoCpus: 5e8, CpusetCpus: '0' },
      VirtualMachine: { MemoryMiB: 128, CPUs: 1 },
    });
    expect((await store.hrun(['rm', '-f', id])).exitCode).toBe(0);
    await expect.poll(() => groupDirectories(id), { timeout: 60_000 }).toEqual([]); // its keeper's last act
  });

  test('of CPU time can be a quota in a period', async ({ skip }) => {
    if (host.controlGroup !== '') skip(`this host cannot limit VMs: ${host.controlGroup}`);
    const id = await started('--cpu-quota', '30000', '--cpu-period=50000', '-c', '512');
    expect(limitOf(id, 'cpu.weight', 'cpu.shares')).toMatch(/^(59|512)$/);
    expect(limitOf(id, 'cpu.max', 'cpu.cfs_quota_us')).toMatch(/^30000\b/);
    expect(limitOf(id, 'cpu.max', 'cpu.cfs_period_us')).toMatch(/\b50000$/);
    const { stdout } = await store.hrun(['inspect', '-f', '{{json .HostConfig}}', id]);
    expect(JSON.parse(stdout)).toMatchObject({
      ...{ CpuQuota: 30_000, CpuPeriod: 50_000, CpuShares: 512, NanoCpus: 0 },
      VirtualMachine: { CPUs: 1 },
    });
    await store.hrun(['rm', '-f', id]);
  });

  test('leave room for a guest that uses all its memory: the host kills nothing', async ({ skip }) => {
    if (host.controlGroup !== '') skip(`this host cannot limit VMs: ${host.controlGroup}`);
    const id = await started('-m', '256m');
    const fill = await store.hrun([
      'exec',
      id,
      'sh',
      '-c',
      'dd if=/dev/zero of=/dev/shm/a bs=1M count=60 2>&1; cat /bin/busybox >/dev/null; tail /dev/zero; echo $?',
    ]);
    expect(fill.stdout).toMatch(/137\n$/);
    const most = Number(limitOf(id, 'memory.peak', 'memory.max_usage_in_bytes'));
    console.log(`a full guest of 256 MiB: ${Math.round(most / MIB)} MiB of the host`);
    expect(most).toBeLessThan((256 + 384) * MIB);
    expect((await store.hrun(['exec', id, 'echo', 'alive'])).stdout).toBe('alive\n');
    await store.hrun(['rm', '-f', id]);
  });

  test('that nobody can have are refused before anything is made', async () => {
    const refused = async (...options: string[]) =>
      (await store.hrun(['create', ...options, 'busybox', 'true'])).stderr.split('\n')[0];
    expect(await refused('--cpuset-cpus', '4095')).toContain('this host has not all of these CPUs');
    expect(await refused('--cpus', '1', '--cpu-quota', '5000')).toContain(
      '--cpus and --cpu-quota contradict each other',
    );
    expect(await refused('--cpu-period', '12')).toContain('--cpu-period 12 is out of range');
    expect(await refused('--cpu-shares', '1')).toContain('"1" is not a number from 2 to 262144');
    expect(await refused('--cpu-quota', 'half')).toContain('is not a number of microseconds');
    expect(await refused('--device-read-bps', '/dev/null:1mb')).toContain(
      'is not a block device of this host',
    );
    expect(store.containers()).toEqual([]);
  });
});
