// SPDX-License-Identifier: Apache-2.0
// hrun update, on containers that run and that do not.
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { settingsPath } from '../../src/base/settings.ts';
import { checkIsolation, findAssets } from '../../src/vm/index.ts';
import { limitOf } from './control-groups.ts';
import { FIXTURES, TestStore } from './hrun.ts';

const MIB = 1024 * 1024;
const host = checkIsolation(findAssets().monitor);

const store = new TestStore();
beforeAll(() => store.load(FIXTURES));
afterEach(() => store.hrun(['rm', '-f', 'box']));
afterAll(() => store.remove());

const ok = store.ok.bind(store);

/** The container may end before the command that ends it has. */
const endBy = (file: string) => store.hrun(['exec', 'box', 'touch', file]);
const inBox = (script: string) => ok('exec', 'box', 'sh', '-c', script);
const inspected = (field: string) => ok('inspect', '-f', `{{json .HostConfig.${field}}}`, 'box');

/** The quota of CPU time of the only VM with this id. */
function cpuQuota(id: string): string | undefined {
  return limitOf(id, 'cpu.max', 'cpu.cfs_quota_us')?.split(' ')[0];
}

describe('update', () => {
  test('limits the memory and the processes of a running container at once, and takes the limit away', async () => {
    await ok('run', '-d', '--name', 'box', '-m', '256m', 'busybox', 'sleep', '600');
    expect(await ok('update', '-m', '96m', '--pids-limit', '20', 'box')).toBe('box');
    expect(await inBox('cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max')).toBe(`${96 * MIB}\n20`);
    const { exitCode } = await store.hrun(['exec', 'box', 'tail', '/dev/zero']);
    expect(exitCode).toBe(137);
    await ok('update', '--pids-limit=-1', '-m', '200m', 'box');
    expect(await inBox('cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max')).toBe(`${200 * MIB}\nmax`);
    expect([await inspected('Memory'), await inspected('PidsLimit')]).toEqual([String(200 * MIB), 'null']);
    expect(await ok('stats', '--no-stream', '--format', '{{.MemUsage}}', 'box')).toMatch(/ \/ 200MiB$/);
    expect(JSON.parse(await inspected('VirtualMachine'))).toMatchObject({ MemoryMiB: 256 });
  });

  test('refuses what a running VM cannot have, and changes nothing then', async () => {
    await ok('run', '-d', '--name', 'box', '-m', '128m', 'busybox', 'sleep', '600');
    const refused = async (...options: string[]) => (await store.hrun(['update', ...options, 'box'])).stderr;
    expect(await refused('-m', '256m')).toContain('was started with 128 MiB of memory: it cannot have more');
    expect(await refused('--cpus', '2')).toContain('was started with 1 CPU: it cannot have more; try: ');
    expect(await refused('--cpus', '2')).toContain('run --max-cpus leaves room for more');
    expect(await refused()).toContain('nothing to update');
    expect(await inspected('Memory')).toBe(String(128 * MIB));
  });

  test('holds when its restart policy starts the container again', async () => {
    const script =
      'cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max; while ! test -e /go; do sleep 0.1; done; rm /go; exit 1';
    await ok(
      'run',
      '-d',
      '--name',
      'box',
      '-m',
      '256m',
      '--restart',
      'on-failure:1',
      'busybox',
      'sh',
      '-c',
      script,
    );
    await expect.poll(() => ok('logs', 'box'), { timeout: 60_000 }).toBe('max\nmax');
    await ok('update', '-m', '96m', '--pids-limit', '20', 'box');
    await endBy('/go');
    await expect.poll(() => ok('logs', 'box'), { timeout: 60_000 }).toBe(`max\nmax\n${96 * MIB}\n20`);
    expect(JSON.parse(await inspected('VirtualMachine'))).toMatchObject({ MemoryMiB: 256 });
    await ok('update', '-m', '200m', 'box');
    expect(await inBox('cat /sys/fs/cgroup/memory.max')).toBe(String(200 * MIB));
  });

  test('that was killed half-way is carried out by whoever looks, and recorded only then', async () => {
    const id = await ok('run', '-d', '--name', 'box', '-m', '256m', 'busybox', 'sleep', '600');
    const path = settingsPath(join(store.dir, 'containers', id), 'config.json');
    const config = JSON.parse(readFileSync(path, 'utf8'));
    const unfinished = (update: object) =>
      writeFileSync(path, JSON.stringify({ ...config, unfinishedUpdate: update }));
    unfinished({ memory: 96 * MIB, pidsLimit: 20 });
    expect([await inspected('Memory'), await inspected('PidsLimit')]).toEqual([String(96 * MIB), '20']);
    expect(await inBox('cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max')).toBe(`${96 * MIB}\n20`);
    unfinished({ memory: 1024 * MIB });
    expect(await inspected('Memory')).toBe(String(256 * MIB));
    expect(readFileSync(path, 'utf8')).not.toContain('unfinishedUpdate');
  });

  test('is killed at any moment, and what inspect tells is in force', async () => {
    await ok('run', '-d', '--name', 'box', '-m', '256m', 'busybox', 'sleep', '600');
    for (let round = 0; round < 12; round++) {
      const command = store.start(['update', '-m', `${100 + round}m`, 'box']);
      setTimeout(() => command.kill('SIGKILL'), 60 + 12 * round);
      await command;
      const told = await inspected('Memory');
      const inForce = await inBox('cat /sys/fs/cgroup/memory.max');
      expect({ round, inForce: inForce === 'max' ? String(256 * MIB) : inForce }).toEqual({
        round,
        inForce: told,
      });
    }
  });

  test('gives a container that does not run another size, from its next start on', async () => {
    await ok(
      'create',
      '--name',
      'box',
      '-m',
      '64m',
      'busybox',
      'sh',
      '-c',
      'grep MemTotal /proc/meminfo; cat /sys/fs/cgroup/pids.max',
    );
    await ok('update', '-m', '160m', '--pids-limit', '33', 'box');
    const [memory, pids] = (await ok('start', '-a', 'box')).split('\n');
    expect(Number(/(\d+) kB/.exec(memory!)![1]) / 1024).toBeGreaterThan(120);
    expect(pids).toBe('33');
    expect(JSON.parse(await inspected('VirtualMachine'))).toMatchObject({ MemoryMiB: 160 });
  });

  test('changes the CPU time of a running VM', async ({ skip }) => {
    if (host.controlGroup !== '') skip(`this host cannot limit VMs: ${host.controlGroup}`);
    const id = await ok('run', '-d', '--name', 'box', 'busybox', 'sleep', '600');
    await ok('update', '--cpus', '0.5', 'box');
    expect(cpuQuota(id)).toBe('50000');
    await ok('update', '--cpus', '1', 'box');
    expect(cpuQuota(id)).toBe('100000');
    const { stderr } = await store.hrun(['update', '--cpu-quota', '20000', 'box']);
    expect(stderr).toContain('the container has --cpus 1; change that, not --cpu-quota');
  });

  test('changes the quota of CPU time of a running VM, and takes it away', async ({ skip }) => {
    if (host.controlGroup !== '') skip(`this host cannot limit VMs: ${host.controlGroup}`);
    const id = await ok('run', '-d', '--name', 'box', '--cpu-period', '50000', 'busybox', 'sleep', '600');
    expect(cpuQuota(id)).toMatch(/^(-1|max)$/);
    await ok('update', '--cpu-quota', '20000', 'box');
    expect(cpuQuota(id)).toBe('20000');
    expect([await inspected('CpuQuota'), await inspected('CpuPeriod')]).toEqual(['20000', '50000']);
    const { stderr } = await store.hrun(['update', '--cpus', '1', 'box']);
    expect(stderr).toContain('the container has --cpu-quota 20000; change that, not --cpus');
    await ok('update', '-c', '512', 'box');
    expect([limitOf(id, 'cpu.weight', 'cpu.shares'), cpuQuota(id)]).toEqual([
      expect.stringMatching(/^(59|512)$/),
      '20000',
    ]);
    await ok('update', '-c', '0', 'box');
    expect(limitOf(id, 'cpu.weight', 'cpu.shares')).toMatch(/^(100|1024)$/);
    await ok('update', '--cpu-quota', '-1', 'box');
    expect(cpuQuota(id)).toMatch(/^(-1|max)$/);
  });

  test('takes CPUs off a running VM and brings them back, up to those that it was started with', async ({
    skip,
  }) => {
    if (availableParallelism() < 2) skip('this host cannot give a VM two CPUs');
    await ok('run', '-d', '--name', 'box', '--max-cpus', '2', 'busybox', 'sleep', '600');
    expect(await inBox('nproc')).toBe('1');
    await ok('update', '--cpus', '1.5', 'box');
    expect(await inBox('nproc')).toBe('2');
    await ok('update', '--cpus', '0.5', 'box');
    expect(await inBox('nproc')).toBe('1');
    await ok('update', '--cpus', '2', 'box');
    expect(await inBox('nproc; taskset -p 1 | sed "s/.*: //"')).toBe('2\n3');
    expect(JSON.parse(await inspected('VirtualMachine'))).toMatchObject({ CPUs: 2 });
    await ok('update', '--cpus', '1', 'box');
    await ok('restart', '-t', '0', 'box');
    expect(await inBox('nproc')).toBe('1');
    await ok('update', '--cpus', '2', 'box');
    expect(await inBox('nproc')).toBe('2');
  });

  test('changes the restart policy of a running container', async () => {
    await ok(
      'run',
      '-d',
      '--name',
      'box',
      'busybox',
      'sh',
      '-c',
      'test -e /once && end=/stop || end=/go; touch /once; while ! test -e $end; do sleep 0.1; done',
    );
    await ok('update', '--restart', 'on-failure:3', 'box');
    await ok('update', '--restart', 'always', 'box');
    await endBy('/go');
    await expect
      .poll(() => ok('inspect', '-f', '{{.RestartCount}} {{.State.Status}}', 'box'), { timeout: 60_000 })
      .toBe('1 running');
    await ok('update', '--restart', 'no', 'box');
    await endBy('/stop');
    await ok('wait', 'box');
    expect(await ok('inspect', '-f', '{{.RestartCount}} {{.State.Status}}', 'box')).toBe('1 exited');
  });
});
