// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { settingsPath } from '../../src/base/settings.ts';
import { heldBoot } from './booting.ts';
import { eventually, FIXTURES, isAlive, TestStore } from './hrun.ts';

let store: TestStore;
beforeAll(async () => {
  store = new TestStore();
  await store.load(FIXTURES);
});
afterAll(() => store.remove());

/** Collects what a running command says, and waits for a line of it. */
function started(args: string[]) {
  const child = store.start(['run', ...args], { buffer: false, stdin: 'pipe' });
  let text = '';
  child.stdout!.on('data', (chunk) => {
    text += chunk;
  });
  return { child, said: (word: string) => eventually(() => text.includes(word)), text: () => text };
}

/** Waits until a command has said a word: then it knows that the container's process runs. */
async function heard(child: ReturnType<TestStore['start']>, word: string): Promise<void> {
  let text = '';
  child.stdout!.on('data', (chunk) => {
    text += chunk;
  });
  await eventually(() => text.includes(word));
}

/** Waits until a process has taken the signals that it was sent: two of a kind are one until then. */
async function signalsTaken(pid: number): Promise<void> {
  await eventually(() => /^ShdPnd:\t0+$/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')));
}

async function nothingLeft(): Promise<void> {
  await eventually(() => store.processes().length === 0);
  expect(store.containers()).toEqual([]);
}

describe('signals', () => {
  afterEach(nothingLeft);

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const)(
    '%s reaches the process',
    async (name) => {
      const trap = `trap 'echo got ${name}; exit 7' ${name.slice(3)}; echo ready; while :; do sleep 0.05; done`;
      const { child, said, text } = started(['--rm', 'busybox', 'sh', '-c', trap]);
      await said('ready');
      child.kill(name);
      expect((await child).exitCode).toBe(7);
      expect(text()).toContain(`got ${name}`);
    },
  );

  test('the third signal that the process ignores leaves it running, and says how to end it', async () => {
    const { child, said } = started([
      '--rm',
      '--name',
      'deaf',
      'busybox',
      'sh',
      '-c',
      'echo ready; sleep 100',
    ]);
    let words = '';
    child.stderr!.on('data', (chunk) => {
      words += chunk;
    });
    await said('ready');
    for (let i = 0; i < 3; i++) {
      await signalsTaken(child.pid!);
      child.kill('SIGINT');
    }
    expect((await child).exitCode).toBe(1);
    expect(words).toBe('hrun: container deaf ignores the signal and goes on; to end it: hrun rm -f deaf\n');
    expect((await store.hrun(['ps'])).stdout).toContain('deaf');
    expect(await store.hrun(['rm', '-f', 'deaf'])).toMatchObject({ exitCode: 0, stdout: 'deaf\n' });
  });

  test('SIGTERM while the VM boots ends the start', async () => {
    const { child } = started(['--rm', 'busybox', 'sleep', '100']);
    await heldBoot(store);
    child.kill('SIGTERM');
    expect((await child).exitCode).toBe(143);
  });

  test('the second SIGINT while the VM boots ends the start, the first waits for the process', async () => {
    const { child } = started(['--rm', 'busybox', 'sleep', '100']);
    await heldBoot(store);
    child.kill('SIGINT');
    await signalsTaken(child.pid!);
    child.kill('SIGINT');
    expect((await child).exitCode).toBe(130);
  });

  test('kill -9 of the CLI leaves the container running; --rm is honoured at its end', async () => {
    const { child, said } = started([
      '--rm',
      '-i',
      '--name',
      'orphan',
      'busybox',
      'sh',
      '-c',
      'echo ready; while ! test -e /go; do sleep 0.1; done',
    ]);
    await said('ready');
    const { id, monitorPid, vmmPid } = await store.reached('running');
    child.kill('SIGKILL');
    await child;
    expect(store.containers()).toEqual([id]);
    await store.hrun(['exec', 'orphan', 'touch', '/go']); // the container may end before the command has
    await eventually(() => !isAlive(monitorPid) && !isAlive(vmmPid));
    expect(store.containers()).toEqual([]);
    expect((await store.hrun(['run', '--rm', '--name', 'orphan', 'busybox', 'true'])).exitCode).toBe(0);
  });

  test.each(['monitorPid', 'vmmPid'] as const)(
    'kill -9 of %s is said in one line, exit code 137, and leaves nothing',
    async (victim) => {
      const child = store.start(['run', '--rm', 'busybox', 'sh', '-c', 'echo ready; sleep 100']);
      await heard(child, 'ready');
      const state = await store.reached('running');
      process.kill(state[victim], 'SIGKILL');
      const { exitCode, stderr } = await child;
      expect(exitCode).toBe(137);
      expect(stderr).toMatch(/^hrun: [^\n]+\n$/);
      await eventually(() => !isAlive(state.monitorPid) && !isAlive(state.vmmPid));
      expect(store.names()).toEqual([]);
    },
  );

  test('kill -9 of the monitor while the VM boots is exit code 125', async () => {
    const child = store.start(['run', '--rm', 'busybox', 'true']);
    const { monitorPid } = await heldBoot(store);
    process.kill(monitorPid, 'SIGKILL');
    const { exitCode, stderr } = await child;
    expect(exitCode).toBe(125);
    expect(stderr).toMatch(/^hrun: the monitor of container \w+ was killed[^\n]*\n$/);
  });

  test('kill -9 of CLI and monitor: the next command clears up', async () => {
    const { child, said } = started([
      '--rm',
      '--name',
      'lost',
      'busybox',
      'sh',
      '-c',
      'echo ready; sleep 100',
    ]);
    await said('ready');
    const { monitorPid, vmmPid } = await store.reached('running');
    child.kill('SIGKILL');
    process.kill(monitorPid, 'SIGKILL');
    await eventually(() => !isAlive(monitorPid) && !isAlive(vmmPid));
    expect(store.containers()).toHaveLength(1);
    await store.hrun(['run', '--rm', 'busybox', 'true']);
    expect(store.containers()).toEqual([]);
    expect(store.names()).toEqual([]);
  });

  test('a container that a killed CLI had half made is cleared away', async () => {
    const id = 'ab'.repeat(32);
    mkdirSync(settingsPath(join(store.dir, 'containers', id)), { recursive: true });
    writeFileSync(settingsPath(join(store.dir, 'containers', id), 'config.json'), '{');
    await store.hrun(['run', '--rm', 'busybox', 'true']);
  });
});

describe('a container that is kept', () => {
  test('has a truthful state after kill -9 of its monitor', async () => {
    const child = store.start(['run', '--name', 'kept', 'busybox', 'sh', '-c', 'echo ready; sleep 100']);
    await heard(child, 'ready');
    const { id, monitorPid } = await store.reached('running');
    process.kill(monitorPid, 'SIGKILL');
    expect((await child).exitCode).toBe(137);
    expect(store.state(id)).toMatchObject({
      status: 'exited',
      exitCode: 137,
      signal: 9,
      monitorPid: 0,
      vmmPid: 0,
    });
  });
});
