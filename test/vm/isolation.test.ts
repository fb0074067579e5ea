// SPDX-License-Identifier: Apache-2.0
// The jail around a real container's monitor and its QEMU, seen from the host. What code in it can do is tried out in
// test/native/monitor/confinement_test.cc.
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execaSync } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readState } from '../../src/container/container-state.ts';
import { newContainerId } from '../../src/container/id.ts';
import { checkIsolation } from '../../src/vm/isolation.ts';
import { monitorLastWords, startMonitor } from '../../src/vm/monitor.ts';
import type { VmConfig } from '../../src/vm/vm-config.ts';
import { groupDirectories, limitOf } from './control-groups.ts';
import { jailedProcess, POWERLESS, parentOf } from './jailed-process.ts';
import { AttachFlags, MonitorClient, MonitorRig, processEnd } from './monitor-rig.ts';

const TIMEOUT = 300_000;
const MIB = 1024 ** 2;

let rig: MonitorRig;
let host: ReturnType<typeof checkIsolation>;
beforeAll(() => {
  rig = new MonitorRig();
  host = checkIsolation(rig.assets.monitor);
});
afterAll(() => rig[Symbol.dispose]());

/** A running container; its three processes. */
async function running(change: Partial<VmConfig> = {}) {
  const id = newContainerId();
  const directory = rig.container(['sleep', '1000'], { id, ...change });
  const client = rig.run(directory);
  await client.started;
  const { monitorPid: keeper, vmmPid: qemu } = rig.state(directory);
  const end = async () => {
    process.kill(keeper, 'SIGTERM');
    await client.ended;
    await processEnd(keeper);
  };
  return { id, directory, client, keeper, monitor: parentOf(qemu), qemu, end };
}

describe('a running container', { timeout: TIMEOUT }, () => {
  test('has a monitor that sees its own directory, and no powers, devices, programs or network', async ({
    skip,
  }) => {
    if (host.namespaces !== '') skip(`this host cannot make namespaces: ${host.namespaces}`);
    const { monitor, keeper, directory, end } = await running();
    const jailed = jailedProcess(monitor);
    expect(parentOf(monitor)).toBe(keeper);
    for (const thread of jailed.threads) expect(thread).toEqual(POWERLESS);
    expect(jailed.ownNamespaces).toEqual(expect.arrayContaining(['mnt', 'net', 'ipc', 'uts', 'pid']));
    expect(jailed.root).toEqual(expect.arrayContaining(['control.sock', 'settings', 'state.json']));
    expect(jailed.root).not.toContain('etc');
    expect(jailed.mounts).toHaveLength(2);
    for (const { options } of jailed.mounts)
      expect(options).toEqual(expect.arrayContaining(['nosuid', 'nodev', 'noexec']));
    expect(jailed.mounts.map(({ options }) => options.includes('ro'))).toEqual([false, true]);
    expect(jailed.interfaces).toEqual(['lo']);
    expect(jailed.limits).toMatch(/^Max core file size +0 +0 /m);
    expect(jailed.files.filter((file) => file === directory || file.endsWith('/'))).toEqual([]);
    await end();
  });

  test('has a QEMU that sees the system and what it boots, read-only, and no powers or network', async ({
    skip,
  }) => {
    if (host.namespaces !== '') skip(`this host cannot make namespaces: ${host.namespaces}`);
    const { qemu, monitor, end } = await running();
    const jailed = jailedProcess(qemu);
    for (const thread of jailed.threads) expect(thread).toEqual(POWERLESS);
    for (const name of ['etc/passwd', 'proc/self', 'dev/null', 'home', 'root', 'tmp', 'var', 'sys'])
      expect(existsSync(`/proc/${qemu}/root/${name}`), name).toBe(false);
    expect(jailed.root).toEqual(expect.arrayContaining(['initrd', 'kernel', 'mp-table', 'usr']));
    for (const { point, options } of jailed.mounts) expect([point, ...options]).toContain('ro');
    expect(jailed.interfaces).toEqual(['lo']);
    expect(jailed.ownNamespaces).toEqual(jailedProcess(monitor).ownNamespaces);
    await end();
  });

  test('stands in a control group with its limits, which is gone when it has ended', async ({ skip }) => {
    if (host.controlGroup !== '') skip(`this host cannot limit VMs: ${host.controlGroup}`);
    const resources = { memoryMax: 1024 * MIB, cpuMax: 200_000, pidsMax: 200 };
    const { id, qemu, monitor, keeper, end } = await running({ resources });
    for (const pid of [monitor, qemu]) expect(jailedProcess(pid).controlGroups).toContain(`/hrun/${id}\n`);
    expect(jailedProcess(keeper).controlGroups).not.toContain(id);
    expect(limitOf(id, 'memory.max', 'memory.limit_in_bytes')).toBe(String(resources.memoryMax));
    expect(limitOf(id, 'cpu.max', 'cpu.cfs_quota_us')).toMatch(/^200000\b/);
    expect(limitOf(id, 'pids.max')).toBe('200');
    await end();
    expect(groupDirectories(id)).toEqual([]);
  });

  test('prefers to be killed before its keeper when the host runs out of memory', async () => {
    const { qemu, keeper, end } = await running();
    const score = (pid: number) => Number(readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8'));
    expect(score(qemu)).toBeGreaterThan(score(keeper));
    await end();
  });
});

describe('sudden ends of the jailed monitor', { timeout: TIMEOUT }, () => {
  test('kill -9 of it ends QEMU, and the keeper leaves a truthful state', async () => {
    const { monitor, keeper, qemu, client, directory } = await running();
    process.kill(monitor, 'SIGKILL');
    await client.ended;
    await processEnd(qemu);
    await processEnd(keeper);
    expect(rig.state(directory)).toMatchObject({
      status: 'exited',
      exitCode: 137,
      signal: 9,
      error: { kind: 8 },
    });
    expect(monitorLastWords(directory)).toBe("the VM's monitor was killed by signal 9 (Killed)");
    expect(existsSync(join(directory, 'control.sock'))).toBe(false);
  });

  test('with autoRemove nothing is left of it', async () => {
    const { monitor, keeper, directory } = await running({ autoRemove: true });
    process.kill(monitor, 'SIGKILL');
    await processEnd(keeper);
    expect(existsSync(directory)).toBe(false);
  });
});

describe('an ordinary user', { timeout: TIMEOUT }, () => {
  test('gets the same jail, in a user namespace', async ({ skip }) => {
    if (process.getuid!() !== 0) skip('this host cannot change users: the tests do not run as root');
    using theirs = new MonitorRig();
    const assets = { kernel: join(theirs.dir, 'vmlinux'), initrd: join(theirs.dir, 'initrd') };
    copyFileSync(rig.assets.kernel, assets.kernel);
    copyFileSync(rig.assets.initrd, assets.initrd);
    const monitor = join(theirs.dir, 'hrun-vmm');
    copyFileSync(rig.assets.monitor, monitor);
    const directory = theirs.container(['sleep', '1000'], { id: newContainerId(), ...assets });
    const program = join(theirs.dir, 'as-nobody');
    const user = '--reuid=65534 --regid=65534 --clear-groups';
    writeFileSync(program, `#!/bin/sh\nexec setpriv ${user} ${monitor} "$1"\n`, { mode: 0o755 });
    execaSync('chown', ['-R', '65534', theirs.dir]);
    const client = new MonitorClient(startMonitor(program, directory), AttachFlags.STDOUT);
    await client.started;
    const { vmmPid, monitorPid } = theirs.state(directory);
    for (const pid of [vmmPid, parentOf(vmmPid)]) {
      const jailed = jailedProcess(pid);
      expect(jailed.ownNamespaces).toEqual(['mnt', 'net', 'ipc', 'uts', 'pid', 'user']);
      for (const thread of jailed.threads) expect(thread).toEqual(POWERLESS);
      expect(jailed.root).not.toContain('home');
    }
    process.kill(monitorPid, 'SIGTERM');
    expect((await client.ended).exit).toMatchObject({ code: 143 });
    await processEnd(monitorPid);
  });
});

describe('a host without namespaces', { timeout: TIMEOUT }, () => {
  test('still runs the container, with the filter, and says so in one line', async () => {
    // In a user namespace of its own that may have no other: what containers that refuse namespaces look like from inside.
    const program = join(rig.dir, 'without-namespaces');
    const script = `for n in user mnt net ipc uts pid; do echo 0 >/proc/sys/user/max_\${n}_namespaces; done; exec ${rig.assets.monitor} "$0"`;
    writeFileSync(program, `#!/bin/sh\nexec unshare -Ur sh -c '${script}' "$1"\n`, { mode: 0o755 });
    const directory = rig.container(['sh', '-c', 'echo ran'], { id: newContainerId() });
    const client = new MonitorClient(startMonitor(program, directory), AttachFlags.STDOUT);
    const end = await client.ended;
    expect(end.exit).toMatchObject({ code: 0 });
    expect(client.output).toBe('ran\n');
    const log = readFileSync(join(directory, 'monitor.log'), 'utf8');
    expect(log).toMatch(
      /^hrun-vmm: this host refuses namespaces \(create namespaces: No space left on device\)/m,
    );
  });
});

describe('what a monitor that was broken out of may have planted', () => {
  test('is not followed by those who read its files', () => {
    const directory = mkdtempSync(join(tmpdir(), 'hrun-planted-'));
    const victim = join(directory, 'victim');
    writeFileSync(victim, '{"version": 1, "status": "running"}');
    for (const name of ['state.json', 'monitor.log']) symlinkSync(victim, join(directory, name));
    expect(readState(directory)).toBeUndefined();
    expect(monitorLastWords(directory)).toBe('');
    expect(() => startMonitor(rig.assets.monitor, directory)).toThrow(/ELOOP/);
    rmSync(directory, { recursive: true });
  });
});
