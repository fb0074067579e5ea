// SPDX-License-Identifier: Apache-2.0
// hrun-vmm with real guests: docs/monitor.md.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AttachFlags, connectVsock, MonitorRig, processEnd } from './monitor-rig.ts';

/** What an ended monitor leaves in a container's directory: nothing but files that were asked for. */
const LEFT_BEHIND = [
  'console.log',
  'container.log',
  'lock',
  'monitor.log',
  'settings',
  'state.json',
  'writable.ext4',
];

let rig: MonitorRig;
beforeAll(() => {
  rig = new MonitorRig();
});
afterAll(() => rig[Symbol.dispose]());

describe('a whole life', () => {
  test('output, exit code, log and state tell the same, and no socket stays', async () => {
    const directory = rig.container(['sh', '-c', 'echo out; echo err >&2; exit 7']);
    const client = rig.run(directory);
    const end = await client.ended;
    expect(end.exit).toEqual({ code: 7, signal: 0, oomKilled: false });
    expect(end.gone).toEqual(end.exit);
    expect(client.output).toContain('out\n');
    expect(rig.state(directory)).toMatchObject({ status: 'exited', exitCode: 7, vmmPid: 0 });
    const log = readFileSync(join(directory, 'container.log'), 'utf8').trimEnd().split('\n');
    expect(log.map((line) => JSON.parse(line)).map(({ log: text, stream }) => [text, stream])).toEqual(
      expect.arrayContaining([
        ['out\n', 'stdout'],
        ['err\n', 'stderr'],
      ]),
    );
    expect(readdirSync(directory).sort()).toEqual(LEFT_BEHIND);
  });

  test('with autoRemove the directory is gone when GONE comes', async () => {
    const directory = rig.container(['true'], { autoRemove: true });
    const end = await rig.run(directory).ended;
    expect(end.gone?.code).toBe(0);
    expect(existsSync(directory)).toBe(false);
  });

  test('every attached client gets the output from its arrival, and the end', async () => {
    const directory = rig.container(['sh', '-c', 'echo first; cat; echo last'], {}, true);
    const first = rig.run(directory, AttachFlags.STDIN | AttachFlags.STDOUT);
    await first.started;
    const second = await rig.attach(directory);
    await second.started;
    await first.session.input(Buffer.from('middle\n'));
    first.session.endInput();
    const ends = await Promise.all([first.ended, second.ended]);
    expect(ends.map((end) => end.exit?.code)).toEqual([0, 0]);
    expect(first.output).toBe('first\nmiddle\nlast\n');
    expect(second.output).toMatch(/middle\nlast\n$/);
  });

  test('a client that leaves does not end the container', async () => {
    const directory = rig.container(['sh', '-c', 'cat; echo done'], {}, true);
    const first = rig.run(directory, AttachFlags.STDIN | AttachFlags.STDOUT);
    await first.started;
    first.disconnect();
    const second = await rig.attach(directory, AttachFlags.STDIN | AttachFlags.STDOUT);
    await second.started;
    second.session.endInput();
    expect((await second.ended).exit?.code).toBe(0);
    expect(second.output).toBe('done\n');
  });
});

describe('sudden ends', () => {
  test('kill -9 of QEMU is told to every client and leaves nothing', async () => {
    const directory = rig.container(['sleep', '1000']);
    const first = rig.run(directory);
    await first.started;
    const second = await rig.attach(directory);
    await second.started;
    process.kill(rig.state(directory).vmmPid, 'SIGKILL');
    for (const end of await Promise.all([first.ended, second.ended]))
      expect(end.error?.message).toBe('QEMU was killed by signal 9 (Killed)');
    expect(rig.state(directory)).toMatchObject({ status: 'exited', exitCode: 137, error: { kind: 8 } });
    expect(readdirSync(directory).sort()).toEqual(LEFT_BEHIND);
  });

  test('kill -9 of the monitor takes QEMU with it and frees the lock', async () => {
    const directory = rig.container(['sleep', '1000']);
    const client = rig.run(directory);
    await client.started;
    const { monitorPid, vmmPid } = rig.state(directory);
    process.kill(monitorPid, 'SIGKILL');
    await client.ended;
    await processEnd(vmmPid);
    const end = await rig.run(directory).started.then(() => 'started'); // the lock is free, the sockets are replaced
    expect(end).toBe('started');
    process.kill(rig.state(directory).monitorPid, 'SIGTERM');
  });

  test('SIGTERM ends the container with its stop signal', async () => {
    const directory = rig.container(['sleep', '1000']);
    const client = rig.run(directory);
    await client.started;
    process.kill(rig.state(directory).monitorPid, 'SIGTERM');
    expect((await client.ended).exit).toMatchObject({ code: 143 });
  });

  test('a guest without room to boot is reported with what its kernel or QEMU said', async () => {
    const directory = rig.container(['true'], { memoryMiB: 16, bootTimeoutMs: 8_000 });
    const end = await rig.run(directory).ended;
    expect(end.error?.kind).toBe(8);
    expect(end.error?.message).not.toBe('');
    expect(rig.state(directory).status).toBe('exited');
  });

  test('a disk that is not there is named', async () => {
    const disks = [{ slot: 3, path: '/nonexistent.erofs', readOnly: true }];
    const end = await rig.run(rig.container(['true'], { disks })).ended;
    expect(end.error?.message).toBe('open disk /nonexistent.erofs: No such file or directory');
  });
});

describe('hybrid vsock', () => {
  test('a program of the host reaches the agent, and a port without listener is refused', async () => {
    const directory = rig.container(['sleep', '1000']);
    const client = rig.run(directory);
    await client.started;
    const agent = await connectVsock(directory, 1024);
    expect(agent.line).toMatch(/^OK \d+\n/);
    agent.socket.destroy();
    const nobody = await connectVsock(directory, 9);
    expect(nobody.line).toBe('');
    process.kill(rig.state(directory).monitorPid, 'SIGTERM');
    await client.ended;
  });
});
