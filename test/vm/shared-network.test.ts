// SPDX-License-Identifier: Apache-2.0
// --network container:NAME: a container in the machine of another, with its network and a root of its own.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { eventually, FIXTURES, TestStore } from './hrun.ts';
import { parentOf } from './jailed-process.ts';
import { hostNetworkObstacle, OwnNetwork } from './own-network.ts';

const store = new TestStore();
beforeAll(() => store.load(FIXTURES));
afterEach(() => store.clear());
afterAll(() => store.remove());

/** Serves its own /www on port 80 until it is told to end. */
const SERVER =
  'mkdir /www; echo of the first > /www/page; httpd -p 80 -h /www; trap "exit 7" TERM; while :; do sleep 0.3; done';
const FETCH = 'wget -qO- http://127.0.0.1/page';

async function startServer(...options: string[]): Promise<string> {
  const id = await store.ok('run', '-d', '--name', 'web', ...options, 'busybox', 'sh', '-c', SERVER);
  await eventually(async () => (await store.hrun(['exec', 'web', 'sh', '-c', FETCH])).exitCode === 0);
  return id;
}

const start = (name: string, script: string, ...options: string[]) =>
  store.ok(
    'run',
    '-d',
    '--name',
    name,
    '--network',
    'container:web',
    ...options,
    'busybox',
    'sh',
    '-c',
    script,
  );

const inspect = async (name: string, field = 'State') =>
  JSON.parse(await store.ok('inspect', '-f', `{{json .${field}}}`, name));

const shell = (name: string, script: string) => store.ok('exec', name, 'sh', '-c', script);

/** How many lines a file of a container has; nothing when there is none yet. */
const lines = async (name: string, path: string) =>
  (await store.hrun(['exec', name, 'sh', '-c', `wc -l < ${path}`])).stdout.trim();

/** A container that shares the machine of another that has ended hears of it a moment later. */
const ended = (name: string) => eventually(async () => (await inspect(name)).Status === 'exited');

describe('a container in the network of another', () => {
  test('reaches what it serves by 127.0.0.1, and the other way round, with the same names and interfaces', async () => {
    const id = await startServer();
    await start('side', 'mkdir /own; echo of the second > /own/page; httpd -p 81 -h /own; sleep 1000');
    expect(await shell('side', FETCH)).toBe('of the first');
    const other = 'wget -qO- http://127.0.0.1:81/page';
    await eventually(async () => (await store.hrun(['exec', 'web', 'sh', '-c', other])).exitCode === 0);
    expect(await shell('web', other)).toBe('of the second');
    const look =
      'hostname; echo $HOSTNAME; cat /etc/hosts /etc/hostname /etc/resolv.conf; readlink /proc/self/ns/net';
    expect(await shell('side', look)).toBe(await shell('web', look));
    expect(await shell('side', 'hostname')).toBe(id.slice(0, 12));
    expect(await inspect('side', 'HostConfig.NetworkMode')).toBe(`container:${id}`);
    expect(await inspect('side', 'Config.Hostname')).toBe(id.slice(0, 12));
    await shell('web', 'echo 127.0.0.1 added >> /etc/hosts');
    expect(await shell('side', 'wget -qO- http://added/page')).toBe('of the first');
  });

  test('has files and processes of its own', async () => {
    await startServer();
    await start('side', 'echo mine > /root/file; exec sleep 1000');
    await eventually(async () => (await shell('side', 'cat /proc/1/comm')) === 'sleep');
    expect((await store.hrun(['exec', 'side', 'ls', '/www'])).exitCode).toBe(1);
    expect((await store.hrun(['exec', 'web', 'ls', '/root/file'])).exitCode).toBe(1);
    expect(await shell('side', 'cat /proc/1/comm; grep -c " / " /proc/mounts')).toBe('sleep\n1');
    expect(await store.ok('top', 'side')).not.toContain('httpd');
    expect(await store.ok('top', 'web')).not.toContain('sleep 1000');
    expect(await store.ok('diff', 'side')).toContain('A /root/file');
    expect(await store.ok('cp', 'side:/root/file', '-').catch(String)).toContain('mine');
    const processes = () => store.ok('stats', '--no-stream', '--format', '{{.PIDs}}', 'side');
    await expect.poll(processes, { timeout: 60_000 }).toBe('1');
  });

  test('is logged, waited for and killed as any other, and its end is not that of the machine', async () => {
    await startServer();
    await start('side', 'i=0; while [ $i -lt 3 ]; do i=$((i+1)); echo line $i; sleep 0.2; done; exit 5');
    expect(await store.ok('logs', '-f', 'side')).toBe('line 1\nline 2\nline 3');
    expect(await store.ok('wait', 'side')).toBe('5');
    await start('next', 'sleep 1000');
    await store.ok('pause', 'next');
    expect(await shell('web', FETCH)).toBe('of the first');
    await store.ok('unpause', 'next');
    await store.ok('kill', 'next');
    expect(await inspect('next')).toMatchObject({ Status: 'exited', ExitCode: 137, Error: '' });
    const piped = await store.hrun(
      ['run', '--rm', '-i', '--network', 'container:web', 'busybox', 'sh', '-c', 'tr a-z A-Z; exit 9'],
      'by a pipe',
    );
    expect(piped).toEqual({ exitCode: 9, stdout: 'BY A PIPE', stderr: '' });
    expect(await shell('web', FETCH)).toBe('of the first');
  });

  test('keeps its files from one start to the next, in another run of the machine too', async () => {
    await startServer();
    await start('side', 'date +%N >> /root/starts; exec sleep 1000');
    const starts = (count: number) =>
      eventually(async () => (await lines('side', '/root/starts')) === String(count));
    await starts(1);
    for (let count = 2; count <= 3; count++) {
      await store.ok('stop', '-t', '0', 'side');
      await store.ok('start', 'side');
      await starts(count);
    }
    await store.ok('stop', 'web');
    await ended('side');
    await store.ok('start', 'web');
    await eventually(async () => (await store.hrun(['start', 'side'])).exitCode === 0);
    await starts(4);
    await eventually(async () => (await store.hrun(['exec', 'side', 'sh', '-c', FETCH])).exitCode === 0);
    await store.ok('stop', '-t', '0', 'side');
    expect(await store.ok('cp', 'side:/root/starts', '-')).toContain('starts');
  });

  test('ends with the machine, says why, and has its data', async () => {
    const remark = 'the container whose machine and network it shares has ended: web';
    await startServer('--rm');
    await start('side', 'echo kept > /root/file; exec sleep 1000');
    await eventually(async () => (await lines('side', '/root/file')) === '1');
    const waiting = store.ok('wait', 'side');
    await store.ok('stop', 'web');
    expect(await waiting).toBe('137');
    expect(await inspect('side')).toMatchObject({ Status: 'exited', ExitCode: 137, Error: remark });
    const again = await store.hrun(['start', 'side']);
    expect(again.exitCode).toBe(1);
    expect(again.stderr).toContain('No such container: web');
    const copied = await store.shell(`"$HRUN" cp side:/root/file - | tar -xO`);
    expect(copied.stdout).toBe('kept\n');
  });

  test('is limited and killed by itself when it wants too much memory', async () => {
    await startServer();
    const many = await store.hrun([
      ...['run', '--name', 'full', '-m', '48m', '--pids-limit', '20', '--network', 'container:web'],
      ...['busybox', 'sh', '-c', 'cat /sys/fs/cgroup/pids.max; exec tail /dev/zero'],
    ]);
    expect(many).toMatchObject({ exitCode: 137, stdout: '20\n' });
    expect(await inspect('full')).toMatchObject({ OOMKilled: true, ExitCode: 137 });
    expect(await inspect('web')).toMatchObject({ Status: 'running', OOMKilled: false });
    expect(await shell('web', FETCH)).toBe('of the first');
  });

  test('whose keeper, or monitor, is killed gives its disks back, and says so', async () => {
    await startServer();
    const id = await start('side', 'echo kept >> /root/file; exec sleep 1000');
    const directory = join(store.dir, 'containers', id);
    for (const [run, victim] of ['keeper', 'monitor'].entries()) {
      const { monitorPid } = JSON.parse(readFileSync(join(directory, 'state.json'), 'utf8'));
      await eventually(
        async () => (await store.hrun(['exec', 'side', 'grep', '-c', 'kept', '/root/file'])).exitCode === 0,
      );
      await shell('side', 'sync');
      process.kill(victim === 'keeper' ? monitorPid : childOf(monitorPid), 'SIGKILL');
      await ended('side');
      expect(await inspect('side')).toMatchObject({ ExitCode: 137 });
      expect(await shell('web', FETCH)).toBe('of the first');
      await eventually(async () => (await store.hrun(['start', 'side'])).exitCode === 0);
      await expect.poll(() => lines('side', '/root/file'), { timeout: 60_000 }).toBe(String(run + 2));
    }
  });

  test('whose machine is killed is ended, however that was', async () => {
    for (const victim of ['vmmPid', 'monitorPid'] as const) {
      const id = await startServer();
      await start('side', 'sleep 1000');
      process.kill(store.state(id)[victim], 'SIGKILL');
      await ended('side');
      expect(await inspect('side')).toMatchObject({
        ExitCode: 137,
        Error: 'the container whose machine and network it shares has ended: web',
      });
      await ended('web');
      await store.clear();
    }
  });

  test('can bring volumes that are disks, and no directories of the host', async () => {
    await startServer();
    await store.ok('volume', 'create', '-o', 'size=128m', 'data');
    await store.ok(
      'run',
      '--rm',
      '--network',
      'container:web',
      '-v',
      'data:/data',
      'busybox',
      'touch',
      '/data/there',
    );
    expect(await store.ok('run', '--rm', '-v', 'data:/data', 'busybox', 'ls', '/data')).toBe('there');
    const refused = await store.hrun([
      'run',
      '--network',
      'container:web',
      '-v',
      '/srv:/srv',
      'busybox',
      'true',
    ]);
    expect(refused.exitCode).toBe(125);
    expect(refused.stderr).toContain('/srv cannot be mounted');
  });

  test('are several at a time, and come and go', async () => {
    await startServer();
    await Promise.all(['s1', 's2', 's3'].map((name) => start(name, 'sleep 1000')));
    for (const name of ['s1', 's2', 's3']) expect(await shell(name, FETCH)).toBe('of the first');
    await store.ok('rm', '-f', 's2');
    await start('s4', 'sleep 1000');
    for (const name of ['s1', 's3', 's4']) expect(await shell(name, FETCH)).toBe('of the first');
  });

  test('needs one that runs, and has nothing of a machine of its own', async () => {
    await startServer();
    await store.ok('create', '--name', 'late', '--network', 'container:web', 'busybox', 'true');
    await store.ok('stop', 'web');
    const late = await store.hrun(['start', 'late']);
    expect(late.exitCode).toBe(1);
    expect(late.stderr).toContain('cannot join network of a non running container: web');
    const failing: [string[], string][] = [
      [['--network', 'container:nobody'], 'no such container: nobody'],
      [['--network', 'container:late'], 'late shares the network of another container itself'],
      [
        ['--network', 'container:web', '--hostname', 'other'],
        'conflicting options: hostname and the network mode',
      ],
      [['--network', 'container:web', '-m', '16g'], 'the machine of web has 1024 MiB'],
      [['--network', 'container:web', '--network', 'none'], 'conflicting options: cannot attach both'],
    ];
    for (const [options, text] of failing) {
      const { exitCode, stderr } = await store.hrun(['run', ...options, 'busybox', 'true']);
      expect({ exitCode, stderr: stderr.toLowerCase() }).toEqual({
        exitCode: 125,
        stderr: expect.stringContaining(text.toLowerCase()),
      });
    }
    expect(store.containers()).toHaveLength(2);
  });
});

const obstacle = hostNetworkObstacle();
describe.skipIf(obstacle !== undefined)(
  `in a network of the host${obstacle ? ` (this host cannot: ${obstacle})` : ''}`,
  () => {
    test('has the interface and address of the first, and cannot be connected to another', async () => {
      const host = new OwnNetwork(store);
      try {
        await host.hrun(['run', '-d', '--network', 'bridge', '--name', 'web', 'busybox', 'sh', '-c', SERVER]);
        const join = ['run', '-d', '--name', 'side', '--network', 'container:web'];
        await host.hrun([...join, 'busybox', 'sleep', '1000']);
        const look = 'ip addr show eth0; ip route; cat /etc/hosts /etc/resolv.conf';
        expect(await shell('side', look)).toBe(await shell('web', look));
        await host.hrun(['network', 'create', 'more']);
        const refused = await host.tryHrun(['network', 'connect', 'more', 'side']);
        expect(refused.exitCode).not.toBe(0);
        expect(refused.stderr).toContain('cannot be connected to any other network');
        await host.hrun(['network', 'connect', 'more', 'web']);
        expect(await shell('side', look)).toBe(await shell('web', look));
        expect(await shell('side', 'ip -o -4 addr show eth1')).toContain('inet');
        await host.hrun(['rm', '-f', 'side', 'web']);
      } finally {
        host.close();
      }
    });
  },
);

/** The only process that has this one for its parent. */
function childOf(pid: number): number {
  const found = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((each) => {
      try {
        return parentOf(each) === pid;
      } catch {
        return false;
      }
    });
  expect(found).toHaveLength(1);
  return found[0]!;
}
