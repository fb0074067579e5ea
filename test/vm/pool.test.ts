// SPDX-License-Identifier: Apache-2.0
// Machines that wait for a container: docs/pool.md.
import { existsSync, readdirSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eventually, FIXTURES, isAlive, TestStore } from './hrun.ts';
import { hostNetworkObstacle, OwnNetwork } from './own-network.ts';

const SIZE = ['-m', '256m'];
const store = new TestStore({ HRUN_TEMPLATES: 'use' });
beforeAll(async () => {
  await store.load(FIXTURES);
});
afterAll(async () => {
  await store.hrun(['pool', 'rm', '--all']);
  store.remove();
});

/** Of the machines that wait. */
function waiting(): string[] {
  const pool = join(store.dir, 'pool/1-256');
  const keys = existsSync(pool) ? readdirSync(pool).filter((name) => name.length === 64) : [];
  return keys.flatMap((key) => readdirSync(join(pool, key)).map((id) => join(pool, key, id)));
}

const ready = () => waiting().filter((path) => /\/[0-9a-f]{64}$/.test(path));
const full = (size: number) => eventually(() => ready().length === size && waiting().length === size);
const keeper = (path: string) => Number(readFileSync(join(path, 'settings/keeper'), 'utf8'));

async function run(...args: string[]) {
  return await store.hrun(['run', '--rm', ...SIZE, ...args]);
}

test('a pool whose template is damaged has another made', async () => {
  await store.ok('template', 'create', ...SIZE);
  const id = (await store.ok('template', 'ls', '-q')).trim();
  truncateSync(join(store.dir, 'templates', id, 'state'), 20_000);
  expect(await store.hrun(['pool', 'create', ...SIZE, '--size', '1'])).toMatchObject({
    exitCode: 0,
    stdout: '1\n',
  });
  await full(1);
  expect((await run('busybox', 'true')).exitCode).toBe(0);
  await store.ok('pool', 'rm', ...SIZE);
});

describe('a machine that waits', () => {
  beforeEach(async () => {
    expect(await store.hrun(['pool', 'create', ...SIZE, '--size', '2'])).toEqual({
      exitCode: 0,
      stdout: '2\n',
      stderr: '',
    });
    await full(2);
  });

  test('becomes the container, which has its disk, name, time, limits and streams', async () => {
    const ids = ready().map((path) => path.slice(-64));
    const script =
      'hostname; date +%s; test -e /tmp/file && echo again; echo kept > /tmp/file; cat /tmp/file; cat; id -u; cat /sys/fs/cgroup/pids.max; ls /; exit 7';
    const cidFile = join(store.dir, 'cid');
    const words = ['--cidfile', cidFile, '-i', '--hostname', 'taken', '--user', '5', '--pids-limit', '77'];
    const before = Date.now();
    const result = await store.hrun(['run', ...words, ...SIZE, 'busybox', 'sh', '-c', script], 'in\n');
    const id = readFileSync(cidFile, 'utf8').trim();
    rmSync(cidFile);
    expect(ids).toContain(id);
    const [host, time, ...rest] = result.stdout.trim().split('\n');
    expect({ ...result, stdout: host }).toEqual({ exitCode: 7, stdout: 'taken', stderr: '' });
    expect(Number(time) * 1000).toBeGreaterThan(before - 2000);
    expect(Number(time) * 1000).toBeLessThan(Date.now() + 2000);
    expect(rest.slice(0, 4)).toEqual(['kept', 'in', '5', '77']);
    expect(rest).toContain('bin');
    expect(rest).not.toContain('true'); // of the rehearsal
    expect(await store.ok('inspect', '-f', '{{.State.ExitCode}} {{.Config.Hostname}}', id)).toBe('7 taken');
    const again = await store.hrun(['start', '-ai', id], 'in\n'); // in another machine
    expect({ ...again, stdout: again.stdout.split('\n')[2] }).toEqual({
      exitCode: 7,
      stdout: 'again',
      stderr: '',
    });
    expect((await store.hrun(['rm', id])).exitCode).toBe(0);
  });

  test('is of one container alone, and another takes its place', async () => {
    const before = ready();
    const result = await run('busybox', 'sh', '-c', 'echo 1');
    expect(result).toEqual({ exitCode: 0, stdout: '1\n', stderr: '' });
    await eventually(() => ready().length === 2 && ready().some((path) => !before.includes(path)));
    expect(ready().filter((path) => before.includes(path))).toHaveLength(1);
    expect(store.containers()).toEqual([]);
  });

  test('goes to one of many that start at once; the others have machines of their own', async () => {
    const script =
      'head -c 16 /dev/urandom | od -An -tx1 | tr -d " \\n"; echo; cat /proc/sys/kernel/random/uuid /proc/sys/kernel/random/boot_id; grep stack /proc/self/maps | cut -d- -f1';
    const results = await Promise.all(Array.from({ length: 6 }, () => run('busybox', 'sh', '-c', script)));
    expect(results.map(({ exitCode, stderr }) => ({ exitCode, stderr }))).toEqual(
      Array(6).fill({ exitCode: 0, stderr: '' }),
    );
    const lines = results.map(({ stdout }) => stdout.trim().split('\n'));
    for (const what of [0, 1, 2, 3]) expect(new Set(lines.map((each) => each[what])).size).toBe(6);
    await full(2);
    expect(store.containers()).toEqual([]);
  });

  test('that was killed, or its keeper, is not missed', async () => {
    const [first, second] = ready();
    const pids = [keeper(first!), keeper(second!)];
    process.kill(pids[0]!, 'SIGKILL');
    process.kill(qemuOf(pids[1]!), 'SIGKILL');
    await eventually(() => pids.every((pid) => !isAlive(pid)));
    expect((await store.hrun(['system', 'check', '--quick'])).stdout).toContain(
      'is of a machine that was killed while it waited',
    );
    expect(await run('busybox', 'echo', 'well')).toEqual({ exitCode: 0, stdout: 'well\n', stderr: '' });
    await full(2);
    expect((await store.hrun(['system', 'check', '--quick'])).stdout).not.toContain('waited');
  });

  test('is let down with a container that cannot be', async () => {
    expect((await run('--hostname', '_', 'busybox', 'true')).exitCode).toBe(125);
    await eventually(() => waiting().length < 2);
    expect(store.containers()).toEqual([]);
    expect((await run('busybox', 'true')).exitCode).toBe(0);
    await full(2);
  });

  test('tells of a command that is not there as any', async () => {
    const { exitCode, stderr } = await run('busybox', '/nowhere');
    expect({ exitCode, stderr }).toEqual({ exitCode: 127, stderr: expect.stringContaining('/nowhere') });
    await full(2);
  });

  test('that does not take its container up is replaced by a copy of its template', {
    timeout: 300_000,
  }, async () => {
    const stopped = ready().map((path) => qemuOf(keeper(path)));
    for (const pid of stopped) process.kill(pid, 'SIGSTOP');
    const result = await store.hrun(['run', '-i', '--rm', ...SIZE, 'busybox', 'cat'], 'well');
    expect(result).toEqual({ exitCode: 0, stdout: 'well', stderr: '' });
    await eventually(() => stopped.filter(isAlive).length === 1);
    for (const pid of stopped.filter(isAlive)) process.kill(pid, 'SIGCONT');
    expect(store.containers()).toEqual([]);
  });
});

/** QEMU below a keeper. */
function qemuOf(pid: number): number {
  const child = (of: number) => Number(readFileSync(`/proc/${of}/task/${of}/children`, 'utf8').split(' ')[0]);
  return child(child(pid));
}

describe('pools', () => {
  test('are listed with what they cost, and ended', async () => {
    await store.hrun(['pool', 'create', ...SIZE, '--size', '1']);
    await full(1);
    expect((await store.hrun(['pool', 'ls'])).stdout).toMatch(
      /^ENGINE +MEMORY +CPUS +SIZE +WAITING +USAGE\nqemu +256MiB +1 +1 +1 +[\d.]+MiB\n$/,
    );
    expect((await store.hrun(['info'])).stdout).toContain('\nPool: 1 of 1 machines wait\n');
    expect(await store.hrun(['pool', 'rm', ...SIZE])).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    expect(waiting()).toEqual([]);
    await eventually(() => store.processes().length === 0);
    expect((await store.hrun(['pool', 'ls'])).stdout).toBe(
      'ENGINE    MEMORY    CPUS      SIZE      WAITING   USAGE\n',
    );
    expect((await store.hrun(['pool', 'rm', ...SIZE])).stderr).toMatch(/no such pool.*hrun pool ls/);
    expect((await run('busybox', 'true')).exitCode).toBe(0);
  });

  test('leave nothing running when their store is gone', async () => {
    const other = new TestStore({ HRUN_TEMPLATES: 'use' });
    await other.hrun(['pool', 'create', ...SIZE, '--size', '1']);
    expect(other.processes().length).toBeGreaterThan(0);
    other.remove();
    await eventually(() => other.processes().length === 0);
  });

  test('are refused where they make no sense', async () => {
    const create = async (args: string[], env = {}) => {
      const { exitCode, stderr } = await store.start(['pool', 'create', ...args], {
        env: { ...store.env, ...env },
      });
      return `${exitCode} ${stderr}`;
    };
    expect(await create(['--size', '0'])).toMatch(/^125 hrun: --size "0" is not a number from 1 to 64/);
    expect(await create(['--size', 'x'])).toMatch(/^125 hrun: --size "x"/);
    expect(await create([], { HRUN_TEMPLATES: 'off' })).toMatch(/^125 hrun: HRUN_TEMPLATES=off/);
    expect(await create(['-m', '1m'])).toMatch(/too little to boot/);
    expect((await store.hrun(['pool', 'rm', '--all', '-m', '1g'])).stderr).toMatch(/contradict/);
  });
});

const cannot = hostNetworkObstacle();

describe.skipIf(cannot)(`a network${cannot ? ` (this host cannot: ${cannot})` : ''}`, () => {
  const own = new TestStore({ HRUN_TEMPLATES: 'use' });
  let host: OwnNetwork;
  beforeAll(async () => {
    await own.load(FIXTURES);
    host = new OwnNetwork(own);
  });
  afterAll(async () => {
    await host.tryHrun(['rm', '-f', 'web']);
    await host.tryHrun(['pool', 'rm', '--all']);
    host.close();
    own.remove();
  });

  test('reaches a container that begins in a machine that has waited, by its ports too', async () => {
    await host.hrun(['pool', 'create', ...SIZE, '--size', '1']);
    const machine = readdirSync(join(own.dir, 'pool/1-256')).find((name) => name.length === 64)!;
    const [id] = readdirSync(join(own.dir, 'pool/1-256', machine));
    const server = ['busybox', 'sh', '-c', 'exec nc -ll -p 80 -e echo hi'];
    const options = ['--network', 'bridge', '-p', '8080:80', ...SIZE];
    expect(await host.out('run', '-d', '--name', 'web', ...options, ...server)).toBe(`${id}\n`);
    expect(await host.out('exec', 'web', 'ip', '-4', 'addr', 'show', 'eth0')).toContain('172.31.0.2/16');
    await eventually(
      async () => (await host.shell('busybox nc -w 5 127.0.0.1 8080 </dev/null')).stdout.trim() === 'hi',
    );
    await host.hrun(['network', 'create', 'other']);
    await host.hrun(['network', 'connect', 'other', 'web']);
    expect(await host.out('exec', 'web', 'ip', '-4', 'addr')).toContain('eth1');
  });

  test('reaches one of several CPUs by several queues', { timeout: 100_000 }, async (context) => {
    if (availableParallelism() < 2) context.skip('this host cannot give a VM two CPUs');
    const size = [...SIZE, '--cpus', '2'];
    await host.hrun(['pool', 'create', ...size, '--size', '1']);
    const machine = readdirSync(join(own.dir, 'pool/2-256')).find((name) => name.length === 64)!;
    const [id] = readdirSync(join(own.dir, 'pool/2-256', machine));
    const words = ['run', '-d', '--name', 'two', '--network', 'bridge', '--network', 'other', ...size];
    expect(await host.out(...words, 'busybox', 'sleep', '1000')).toBe(`${id}\n`);
    for (const name of ['eth0', 'eth1'])
      expect(await host.out('exec', 'two', 'ls', `/sys/class/net/${name}/queues`)).toBe(
        'rx-0\nrx-1\ntx-0\ntx-1\n',
      );
    expect(await host.out('exec', 'two', 'ping', '-c', '1', '-W', '5', '172.31.0.1')).toContain(
      '1 packets received',
    );
    await host.hrun(['rm', '-f', 'two']);
  });
});
