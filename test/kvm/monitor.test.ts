// SPDX-License-Identifier: Apache-2.0
// hrun-vmm with the kvm engine. The guest is test/guests/agent, a bare-metal program that speaks the agent protocol: it
// runs wherever there is a /dev/kvm, also where that emulates guest kernels too slowly for Linux.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startMonitor } from '../../src/vm/monitor.ts';
import type { VmConfig } from '../../src/vm/vm-config.ts';
import { guest, kvmUsable, onKvm } from '../native/micro-vm-guest.ts';
import { unmount } from '../vm/hrun.ts';
import { jailedProcess, POWERLESS, parentOf } from '../vm/jailed-process.ts';
import { AttachFlags, MonitorClient, MonitorRig, processEnd } from '../vm/monitor-rig.ts';
import { bareMetal } from './bare-metal.ts';

let rig: MonitorRig;
beforeAll(() => {
  rig = new MonitorRig();
});
afterAll(() => rig[Symbol.dispose]());

/** A container's directory whose guest does what `word` says. */
function container(word: string, change: Partial<VmConfig> = {}): string {
  return rig.container([word], bareMetal(change));
}

function log(directory: string): string {
  return readFileSync(join(directory, 'monitor.log'), 'utf8');
}

describe.skipIf(!kvmUsable())(onKvm('a machine in the monitor itself'), () => {
  test('lives the whole life: output, exit code, log and state tell the same, and no socket stays', async () => {
    const directory = container('exit');
    const client = rig.run(directory);
    const end = await client.ended;
    expect(end.exit).toEqual({ code: 7, signal: 0, oomKilled: false });
    expect(end.gone).toEqual(end.exit);
    expect(client.output).toBe('hello from a bare-metal agent\n');
    expect(rig.state(directory)).toMatchObject({ status: 'exited', exitCode: 7, vmmPid: 0 });
    expect(readFileSync(join(directory, 'container.log'), 'utf8')).toContain('hello from a bare-metal agent');
    expect(readdirSync(directory).filter((name) => name.endsWith('.sock'))).toEqual([]);
    expect(log(directory)).toBe('');
  });

  test('has no control socket any more only when its state tells of the end', async () => {
    for (let round = 0; round < 50; round++) {
      const directory = container('exit');
      const client = rig.run(directory);
      await client.started;
      while (existsSync(join(directory, 'control.sock'))); // without a pause: what follows is a matter of microseconds
      expect(rig.state(directory)).toMatchObject({ status: 'exited', exitCode: 7 });
      await client.ended;
    }
  });

  test('is in the jailed process, and SIGTERM to its keeper ends the container with its stop signal', async () => {
    const directory = container('wait');
    const client = rig.run(directory);
    await client.started;
    const { monitorPid, vmmPid } = rig.state(directory);
    expect(vmmPid).not.toBe(monitorPid);
    process.kill(monitorPid, 'SIGTERM');
    expect((await client.ended).exit).toMatchObject({ code: 143, signal: 15 });
    await processEnd(monitorPid);
  });

  test('runs the guest in a jail: every thread without powers and with a filter of its own', async () => {
    const directory = container('wait');
    const client = rig.run(directory);
    await client.started;
    const { monitorPid, vmmPid } = rig.state(directory);
    const jailed = jailedProcess(vmmPid);
    expect(parentOf(vmmPid)).toBe(monitorPid);
    expect(jailed.threads.length).toBeGreaterThan(1);
    for (const thread of jailed.threads) expect(thread).toEqual(POWERLESS);
    expect(jailed.ownNamespaces).toEqual(expect.arrayContaining(['mnt', 'net', 'ipc', 'uts', 'pid']));
    expect(jailed.mounts).toHaveLength(2);
    expect(jailed.root).toContain('control.sock');
    expect(jailed.interfaces).toEqual(['lo']);
    process.kill(monitorPid, 'SIGTERM');
    await client.ended;
  });

  test('leaves a free lock behind when it is killed', async () => {
    const directory = container('wait');
    const client = rig.run(directory);
    await client.started;
    const { monitorPid, vmmPid } = rig.state(directory);
    process.kill(monitorPid, 'SIGKILL');
    await client.ended;
    await processEnd(vmmPid);
    const second = rig.run(directory);
    await second.started;
    process.kill(rig.state(directory).monitorPid, 'SIGTERM');
    await second.ended;
  });

  test('with several processors, the most memory below the hole, and more than that, starts the same', async () => {
    for (const change of [{ vcpus: 32 }, { memoryMiB: 3328 }, { memoryMiB: 5000 }]) {
      const client = rig.run(container('exit', change));
      expect((await client.ended).exit).toMatchObject({ code: 7 });
    }
  });
});

const VIRTIOFSD = '/usr/lib/qemu/virtiofsd';
const sharing = kvmUsable() && process.getuid?.() === 0 && existsSync(VIRTIOFSD);
const CANNOT_SHARE = ` (this host cannot: no KVM, not root, or no ${VIRTIOFSD})`;

describe.skipIf(!sharing)(`a machine with a directory of the host${sharing ? '' : CANNOT_SHARE}`, () => {
  /** A container's directory; its guest does what `word` says, and has a directory with the file "greeting". */
  function sharer(word: string): string {
    const shared = mkdtempSync(join(rig.dir, 'shared-'));
    writeFileSync(join(shared, 'greeting'), 'hello from the host\n');
    const share = { slot: 18, daemon: VIRTIOFSD, paths: [{ path: shared, readOnly: false }] };
    return container(word, { share });
  }

  test('reads there what the host wrote, from within its jail', async () => {
    const client = rig.run(sharer('read'));
    expect((await client.ended).exit).toMatchObject({ code: 0 });
    expect(client.output).toBe('hello from the host\n');
  });

  test('takes its virtiofsd with it', async () => {
    const directory = sharer('wait');
    const client = rig.run(directory);
    await client.started;
    const { monitorPid } = rig.state(directory);
    const daemon = shareDaemonOf(monitorPid);
    process.kill(monitorPid, 'SIGTERM');
    await client.ended;
    await processEnd(daemon);
  });

  test('ends with one line when its virtiofsd dies', async () => {
    const directory = sharer('wait');
    const client = rig.run(directory);
    await client.started;
    const { monitorPid } = rig.state(directory);
    process.kill(shareDaemonOf(monitorPid), 'SIGKILL');
    expect((await client.ended).error).toMatchObject({
      kind: 9,
      message: "the daemon that shares the host's directories has ended; see monitor.log",
    });
    await processEnd(monitorPid);
  });

  test('names a directory that is not there, and a daemon that is none', async () => {
    const missing = {
      slot: 18,
      daemon: VIRTIOFSD,
      paths: [{ path: '/nonexistent', readOnly: true }],
    };
    const end = await rig.run(container('exit', { share: missing })).ended;
    expect(end.error).toMatchObject({ kind: 9, message: 'share /nonexistent: No such file or directory' });
    const none = { slot: 18, daemon: '/bin/false', paths: [{ path: rig.dir, readOnly: true }] };
    const refused = await rig.run(container('exit', { share: none })).ended;
    expect(refused.error).toMatchObject({
      kind: 9,
      message: expect.stringMatching(
        /^start the daemon that shares the host's directories \(see monitor.log\): /,
      ),
    });
  });
});

/** The child of a keeper that is virtiofsd. */
function shareDaemonOf(keeper: number): number {
  const children = readFileSync(`/proc/${keeper}/task/${keeper}/children`, 'utf8').split(' ').map(Number);
  const daemon = children.find(
    (pid) => pid > 0 && readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith(VIRTIOFSD),
  );
  if (daemon === undefined) throw new Error(`no virtiofsd among ${children}`);
  return daemon;
}

describe.skipIf(!kvmUsable())(onKvm('a machine that comes to a bad end'), () => {
  test.each([
    ['panic', "the guest's kernel panicked: Kernel panic - not syncing: asked for"],
    ['off', 'the guest stopped the machine (guest-reset); last console line: '],
    ['fault', expect.stringMatching(/^the guest took a triple fault \(vCPU 0 at [0-9a-f]{16}\)$/)],
  ])('%s is told in one line', async (word, message) => {
    const directory = container(word);
    const end = await rig.run(directory).ended;
    expect(end.error?.kind).toBe(8);
    expect(end.error?.message).toEqual(message);
    expect(rig.state(directory)).toMatchObject({ status: 'exited', exitCode: 137, error: { kind: 8 } });
    if (word === 'fault') expect(log(directory)).toMatch(/\ncr0 [0-9a-f]+ /);
  });

  test('a guest that never answers is given up after the boot timeout', async () => {
    const directory = container('exit', { kernel: guest('hello'), bootTimeoutMs: 500 });
    expect((await rig.run(directory).ended).error?.message).toBe(
      `the guest did not answer within 500 ms; see console.log in ${directory}`,
    );
  });

  test.each([
    [
      'a disk',
      { disks: [{ slot: 3, path: '/nonexistent.erofs', readOnly: true }] },
      'open disk /nonexistent.erofs: No such file or directory',
    ],
    ['a kernel', { kernel: '/nonexistent' }, 'open /nonexistent: No such file or directory'],
    ['an initrd', { initrd: '/nonexistent' }, 'open /nonexistent: No such file or directory'],
    [
      'a directory as a disk',
      { disks: [{ slot: 3, path: '/tmp', readOnly: true }] },
      'use as a disk what is neither a file nor a block device /tmp: Invalid argument',
    ],
    ['memory for the kernel', { memoryMiB: 1 }, expect.stringContaining('1048576 bytes of memory')],
  ])('%s that is not there is named', async (_what, change, message) => {
    const end = await rig.run(container('exit', change as Partial<VmConfig>)).ended;
    expect(end.error?.kind).toBe(9);
    expect(end.error?.message).toEqual(message);
  });

  test.each([
    [
      'is not there',
      'true',
      'No such file or directory',
      'is KVM loaded, and given to the container that this runs in?',
    ],
    ['may not be opened', 'mknod /dev/kvm c 10 232', 'Permission denied', 'is the user in the group kvm?'],
  ])('a /dev/kvm that %s is named, with what to do', async (_what, make, reason, advice) => {
    const program = join(rig.dir, 'without-kvm');
    const monitor = `exec ${rig.assets.monitor} "$0"`;
    const script = `mount -t tmpfs -o nodev none /dev && ${make} && ${monitor}`;
    writeFileSync(program, `#!/bin/sh\nexec unshare -m sh -c '${script}' "$1"\n`, { mode: 0o755 });
    const client = new MonitorClient(startMonitor(program, container('exit')), AttachFlags.STDOUT);
    expect((await client.ended).error).toMatchObject({
      kind: 9,
      message: `open /dev/kvm (${advice}): ${reason}`,
    });
  });

  test('a full host disk under the writable disk ends the machine, and the guest never sees it', async () => {
    const small = join(rig.dir, 'small');
    mkdirSync(small);
    await execa('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', small]);
    try {
      const path = join(small, 'writable.ext4');
      writeFileSync(path, '');
      await execa('truncate', ['-s', '64M', path]);
      const directory = container('fill', { disks: [{ slot: 2, path, readOnly: false }] });
      const end = await rig.run(directory).ended;
      expect(end.error).toMatchObject({
        kind: 9,
        message: `no space left on the host for ${path}; free some and start again`,
      });
      expect(readFileSync(join(directory, 'console.log'), 'utf8')).toBe('');
    } finally {
      await unmount(small);
    }
  });
});
