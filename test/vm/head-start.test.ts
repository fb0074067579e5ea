// SPDX-License-Identifier: Apache-2.0
// Machines that start while the CLI is being loaded: docs/head-start.md.
import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { childOf, eventually, FIXTURES, HRUN, isAlive, TestStore } from './hrun.ts';

const store = new TestStore({ HRUN_TEMPLATES: 'use' });
const place = join(store.dir, 'head-start');
const trace = join(store.dir, 'trace.json');

beforeAll(async () => {
  await store.load(FIXTURES);
  await store.ok('template', 'create');
});
beforeEach(async () => {
  if (prepared().length === 0) await store.ok('template', 'create'); // it may have been given up
  expect(prepared().length).toBeGreaterThan(0);
});
afterAll(() => store.remove());

/** The ids of machines that are prepared. */
function prepared(): string[] {
  return readdirSync(place)
    .filter((name) => /^[0-9a-f]{64}\.[0-9a-f]{64}$/.test(name))
    .map((name) => name.slice(65));
}

async function run(...command: string[]) {
  return await store.hrun(['run', '--rm', 'busybox', ...command]);
}

/** The stages of a start, in their order. */
async function stagesOf(args: string[], env = {}): Promise<string[]> {
  const { exitCode, stderr } = await store.start(args, { env: { ...store.env, HRUN_TRACE: trace, ...env } });
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  const { traceEvents } = JSON.parse(readFileSync(trace, 'utf8')) as {
    traceEvents: { name: string; dur: number }[];
  };
  expect(traceEvents.filter(({ dur }) => dur < 0)).toEqual([]);
  return traceEvents.map(({ name }) => name);
}

function hadHeadStart(stages: string[]): boolean {
  return stages.indexOf('monitor started') < stages.indexOf('command begins');
}

/** Nothing runs, and nothing lies about that nobody can use. */
async function isTidy(): Promise<void> {
  await eventually(() => store.processes().length === 0);
  expect(readdirSync(place).filter((name) => !name.includes('.') || name.endsWith('.going'))).toEqual([]);
  expect(store.containers()).toEqual([]);
}

/** A run that waits for its container to be made, with the processes of its machine. */
async function heldUpRun() {
  const letGo = await store.holdUpMakers();
  const result = store.start(['run', '-i', '--rm', 'busybox', 'cat'], { stdin: 'pipe', input: 'well' });
  const keeper = await store.keeperWithMachine();
  const monitor = childOf(keeper);
  return { result, letGo, keeper, monitor, qemu: childOf(monitor) };
}

const WELL = { exitCode: 0, stdout: 'well', stderr: '' };

describe('a machine that has a head start', () => {
  test('is the one of the container, which has its name, streams, limits and exit code', async () => {
    const ids = prepared();
    const cidFile = join(store.dir, 'cid');
    const script = 'hostname; cat; id -u; cat /sys/fs/cgroup/pids.max; echo kept > /file; exit 7';
    const words = ['--cidfile', cidFile, '-i', '--hostname', 'ahead', '--user', '5', '--pids-limit', '77'];
    const options = [...words, '-e', 'A=1', '--name', 'kept', '--tmpfs', '/mnt'];
    const result = await store.hrun(['run', ...options, 'busybox', 'sh', '-c', script], 'in\n');
    expect(result.stdout.split('\n').slice(0, 4)).toEqual(['ahead', 'in', '5', '77']);
    expect(result.exitCode).toBe(7);
    const id = readFileSync(cidFile, 'utf8').trim();
    rmSync(cidFile);
    expect(ids).toContain(id);
    expect(await store.ok('inspect', '-f', '{{.State.ExitCode}} {{.Name}}', 'kept')).toMatch(/^7 \/?kept$/);
    expect(prepared().filter((each) => !ids.includes(each))).toHaveLength(1);
    await store.ok('rm', 'kept');
    await isTidy();
  });

  test('began before the command did, and says so', async () => {
    expect(hadHeadStart(await stagesOf(['run', '--rm', 'busybox', 'true']))).toBe(true);
    expect(hadHeadStart(await stagesOf(['-i', '--rm', 'busybox', 'true']))).toBe(true);
    const ids = prepared();
    for (const [args, env] of [
      [['run', '--rm', '-m', '512m', 'busybox', 'true'], {}],
      [['run', '--rm', 'busybox', 'true'], { HRUN_HEAD_START: 'off' }],
      [['run', '--rm', 'busybox', 'true'], { HRUN_TEMPLATES: 'off' }],
    ] as const)
      expect(hadHeadStart(await stagesOf([...args], env))).toBe(false);
    expect(prepared()).toEqual(ids); // nobody has touched them
  });

  test('is not begun by a command without standard streams, which runs all the same', async () => {
    const [id] = prepared();
    const { exitCode } = await store.shell(
      "exec $HRUN run -d --name silent busybox sh -c 'exit 4' <&- >&- 2>&-",
    );
    expect(exitCode).toBe(0);
    await eventually(async () => (await store.hrun(['wait', 'silent'])).stdout === '4\n');
    expect(prepared()).toContain(id);
    await store.ok('rm', 'silent');
  });

  test('goes on in the background, is entered, stopped, and started again', async () => {
    const [id] = prepared();
    expect(await store.ok('run', '-d', '--name', 'behind', 'busybox', 'sleep', '600')).toBe(id);
    expect(await store.ok('exec', 'behind', 'echo', 'in')).toBe('in');
    await store.ok('stop', '-t', '0', 'behind');
    await store.ok('start', 'behind');
    expect(await store.ok('exec', 'behind', 'hostname')).toBe(id!.slice(0, 12));
    await store.ok('rm', '-f', 'behind');
    await isTidy();
  });

  test('is started again by its policy', async () => {
    await store.runsTwice('echo x', 'x\n');
    await isTidy();
  });

  test('is of one container, whoever else starts at the same time', async () => {
    const script = 'cat /proc/sys/kernel/random/uuid; hostname';
    const results = await Promise.all(Array.from({ length: 6 }, () => run('sh', '-c', script)));
    expect(results.map(({ exitCode, stderr }) => `${exitCode}${stderr}`)).toEqual(Array(6).fill('0'));
    for (const line of [0, 1])
      expect(new Set(results.map(({ stdout }) => stdout.split('\n')[line])).size).toBe(6);
    await isTidy();
  });
});

describe('a machine whose container does not come', () => {
  test.each([
    ['a name that cannot be', ['--hostname', '_', 'busybox', 'true'], 125],
    ['an image that is not there', ['--pull', 'never', 'nothing', 'true'], 125],
    ['a command that is not there', ['busybox', '/nowhere'], 127],
  ])('ends: %s', async (_, words, exitCode) => {
    expect((await store.hrun(['run', '--rm', ...words])).exitCode).toBe(exitCode);
    await isTidy();
  });

  test('ends with a command that is killed, whenever that is', { timeout: 300_000 }, async () => {
    for (let delay = 0; delay < 400; delay += 25) {
      await eventually(() => store.containers().length === 0 && store.processes().length === 0);
      if (prepared().length === 0) await run('true');
      const child = spawn(HRUN, ['run', '--rm', 'busybox', 'true'], {
        env: { ...process.env, ...store.env },
        stdio: 'ignore',
      });
      const ended = new Promise((resolve) => child.once('exit', resolve)); // by itself, where the host is quick
      await sleep(delay);
      child.kill('SIGKILL');
      await ended;
      await eventually(() => store.processes().length === 0);
      expect((await run('echo', 'well')).stdout).toBe('well\n'); // and clears up
    }
    await eventually(() => store.containers().length === 0);
    const left = () => readdirSync(place).filter((name) => !/^[0-9a-f]{64}\./.test(name));
    for (let waited = 0; left().length > 0 && waited < 30; waited++) {
      await sleep(1000); // what a launcher leaves that is killed before its keeper begins goes when it is 10 s old
      await run('true');
    }
    expect(left()).toEqual([]);
    expect((await store.hrun(['system', 'check', '--quick'])).exitCode).toBe(0);
  });

  test('ends when that takes long; what a killed launcher leaves is cleared away', async () => {
    const left = join(place, 'f'.repeat(64));
    mkdirSync(left, { mode: 0o700 });
    const { result, letGo, keeper } = await heldUpRun();
    await eventually(() => !isAlive(keeper));
    letGo();
    const { exitCode, stdout, stderr } = await result;
    expect({ exitCode, stdout, stderr }).toEqual(WELL);
    await eventually(() => !existsSync(left));
    await isTidy();
  });
});

describe('a machine that fails before its container is made', () => {
  test.each(['keeper', 'monitor', 'qemu'] as const)('is not missed: its %s is killed', async (which) => {
    const { result, letGo, ...processes } = await heldUpRun();
    process.kill(processes[which], 'SIGKILL');
    await eventually(() => !isAlive(processes.qemu));
    letGo();
    const { exitCode, stdout, stderr } = await result;
    expect({ exitCode, stdout, stderr }).toEqual(WELL);
    await eventually(() => store.processes().length === 0);
    expect(store.containers()).toEqual([]);
  });

  test('is not missed: its template is damaged, which is found out once', async () => {
    const template = await store.ok('template', 'create'); // with its process, which was taken away
    await isTidy();
    truncateSync(join(store.dir, 'templates', template, 'process'), 20_000);
    const result = await store.hrun(['run', '-i', '--rm', 'busybox', 'cat'], 'well');
    expect(result).toEqual(WELL);
    expect(readdirSync(join(store.dir, 'templates', template!))).not.toContain('process');
    truncateSync(join(store.dir, 'templates', template, 'state'), 20_000);
    expect(await store.hrun(['run', '-i', '--rm', 'busybox', 'cat'], 'well')).toEqual(WELL);
    expect(existsSync(join(store.dir, 'templates', template, 'state'))).toBe(false);
    await store.ok('template', 'create');
    await isTidy();
  });
});

describe('a directory that is not as it was prepared', () => {
  const path = () =>
    join(place, readdirSync(place).find((name) => /^[0-9a-f]{64}\.[0-9a-f]{64}$/.test(name))!);

  test.each<[string, (path: string) => void]>([
    ['is damaged', (path) => writeFileSync(join(path, 'settings/vm.json'), '{')],
    ['is empty', (path) => rmSync(join(path, 'settings'), { recursive: true })],
    ['is of another machine', (path) => writeFileSync(join(path, 'settings/vm.json'), '{"version":1}')],
  ])('is of no harm: it %s', async (_, spoil) => {
    const spoilt = path();
    spoil(spoilt);
    expect(await store.hrun(['run', '-i', '--rm', 'busybox', 'cat'], 'well')).toEqual(WELL);
    expect(existsSync(spoilt)).toBe(false);
    await isTidy();
  });

  test.each<[string, (path: string) => void, (path: string) => void]>([
    ['others may write in it', (path) => chmodSync(path, 0o777), (path) => chmodSync(path, 0o700)],
    ['others may write where it is', () => chmodSync(place, 0o777), () => chmodSync(place, 0o700)],
    [
      'it is a link',
      (path) => {
        renameSync(path, join(store.dir, 'elsewhere'));
        symlinkSync(join(store.dir, 'elsewhere'), path);
      },
      (path) => {
        rmSync(path);
        renameSync(join(store.dir, 'elsewhere'), path);
      },
    ],
  ])('is let alone: %s', async (_, spoil, mend) => {
    for (const id of prepared().slice(1))
      for (const name of readdirSync(place).filter((each) => each.endsWith(id)))
        rmSync(join(place, name), { recursive: true });
    const spoilt = path();
    spoil(spoilt);
    expect(hadHeadStart(await stagesOf(['run', '--rm', 'busybox', 'true']))).toBe(false);
    expect(existsSync(spoilt)).toBe(true);
    mend(spoilt);
  });
});

test('a pool has machines that wait, and needs none with a head start', async () => {
  await store.hrun(['pool', 'create', '--size', '1']);
  expect(prepared()).toEqual([]);
  expect((await run('true')).exitCode).toBe(0);
  expect(prepared()).toEqual([]);
  await eventually(async () => (await store.hrun(['pool', 'rm', '--all'])).exitCode === 0);
  expect((await run('true')).exitCode).toBe(0);
  expect(prepared()).toHaveLength(1);
});
