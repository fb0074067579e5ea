// SPDX-License-Identifier: Apache-2.0
// Containers whose QEMU goes on from an image of a process: docs/frozen.md.
import { existsSync, readdirSync, readFileSync, readlinkSync, renameSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readState } from '../../src/container/container-state.ts';
import { eventually, FIXTURES, TestStore } from './hrun.ts';
import { jailedProcess, POWERLESS } from './jailed-process.ts';

const store = new TestStore({ HRUN_TEMPLATES: 'use', HRUN_HEAD_START: 'off' });
let template: string;
beforeAll(async () => {
  await store.load(FIXTURES);
  template = await makeTemplate();
});
afterAll(() => store.remove());

async function makeTemplate(...options: string[]): Promise<string> {
  const id = await store.ok('template', 'create', ...options);
  return join(store.dir, 'templates', id);
}

/** QEMU of a container that runs. */
async function qemuOf(name: string): Promise<number> {
  const id = await store.ok('inspect', '--format', '{{.Id}}', name);
  return readState(join(store.dir, 'containers', id))!.vmmPid;
}

/** Filters of system calls. */
function filtersOf(pid: number): number {
  return Number(/^Seccomp_filters:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

const programOf = (pid: number) => basename(readlinkSync(`/proc/${pid}/exe`));

async function started(name: string, ...options: string[]): Promise<number> {
  await store.ok('run', '-d', '--name', name, ...options, 'busybox', 'sleep', '1000');
  return qemuOf(name);
}

describe('a template of the qemu engine', () => {
  test('says that machines are thawed from it, and counts what that takes', async () => {
    const [shown] = JSON.parse(await store.ok('template', 'inspect', basename(template)));
    expect(shown.frozen).toBe(true);
    expect(shown.notFrozen).toBeUndefined();
    expect(readdirSync(template).sort()).toEqual([
      'memory',
      'process',
      'process.memory',
      'state',
      'template.json',
    ]);
    expect(shown.size).toBeGreaterThan(60 << 20);
  });
});

describe('a container that is thawed', () => {
  test('has a QEMU that is shown as any, and as confined as one that was started', async () => {
    const thawed = await started('thawed');
    await store.ok('run', '-d', '--name', 'booted', '-m', '300m', 'busybox', 'sleep', '1000');
    const booted = await qemuOf('booted');
    expect(programOf(thawed)).toBe('hrun-thaw');
    expect(programOf(booted)).toMatch(/^qemu-system/);
    const words = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0').slice(0, 4);
    expect(words(thawed)).toEqual(words(booted));
    const [one, other] = [jailedProcess(thawed), jailedProcess(booted)];
    for (const thread of one.threads) expect(thread).toEqual(POWERLESS);
    expect(filtersOf(thawed)).toBeGreaterThanOrEqual(filtersOf(booted));
    for (const { point, options } of one.mounts) expect([point, ...options]).toContain('ro');
    for (const name of ['etc/passwd', 'proc', 'dev/null', 'home', 'root', 'tmp', 'var', 'sys'])
      expect(existsSync(`/proc/${thawed}/root/${name}`), name).toBe(false);
    expect(one.interfaces).toEqual(['lo']);
    expect(one.ownNamespaces).toEqual(other.ownNamespaces);
    await store.ok('rm', '-f', 'thawed', 'booted');
  });

  test('has several CPUs, volumes and directories of the host', async () => {
    await makeTemplate('--cpus', '2');
    const pid = await started('two', '--cpus', '2', '-v', 'data:/data', '-v', `${store.dir}/cache:/host:ro`);
    expect(programOf(pid)).toBe('hrun-thaw');
    expect(
      await store.ok('exec', 'two', 'sh', '-c', 'nproc; echo x > /data/f; cat /data/f; ls -d /host'),
    ).toBe('2\nx\n/host');
    await store.ok('restart', '-t', '0', 'two');
    expect(programOf(await qemuOf('two'))).toBe('hrun-thaw');
    expect(await store.ok('exec', 'two', 'cat', '/data/f')).toBe('x');
    await store.ok('rm', '-f', 'two');
  });

  test('can be saved and restored', async () => {
    await started('saved');
    await store.ok('exec', 'saved', 'sh', '-c', 'echo kept > /dev/shm/f');
    await store.ok('checkpoint', 'create', 'saved', 'one');
    await store.ok('start', '--checkpoint', 'one', 'saved');
    expect(await store.ok('exec', 'saved', 'cat', '/dev/shm/f')).toBe('kept');
    await store.ok('rm', '-f', 'saved');
  });

  test('has random numbers and a layout of memory of its own', async () => {
    const script =
      'cat /proc/sys/kernel/random/uuid; grep stack /proc/self/maps | cut -d- -f1; head -c 8 /dev/urandom | od -An -tx1';
    const run = () => store.ok('run', '--rm', 'busybox', 'sh', '-c', script);
    const lines = (await Promise.all([run(), run(), run()])).map((out) => out.trim().split('\n'));
    for (const what of [0, 1, 2]) expect(new Set(lines.map((each) => each[what])).size).toBe(3);
  });
});

describe('a template without its process', () => {
  test('is copied: by its state', async () => {
    renameSync(join(template, 'process'), join(template, 'gone'));
    const pid = await started('copied');
    expect(programOf(pid)).toMatch(/^qemu-system/);
    expect(await store.ok('exec', 'copied', 'grep', '-c', '--', '--template', '/proc/cmdline')).toBe('1');
    await store.ok('rm', '-f', 'copied');
    renameSync(join(template, 'gone'), join(template, 'process'));
    await eventually(() => store.processes().length === 0);
  });
});
