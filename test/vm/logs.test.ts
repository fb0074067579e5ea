// SPDX-License-Identifier: Apache-2.0
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually, FIXTURES, TestStore } from './hrun.ts';

let store: TestStore;
beforeAll(async () => {
  store = new TestStore();
  await store.load(FIXTURES);
});
afterAll(async () => {
  await store.clear();
  store.remove();
});

async function logs(...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await store.hrun(['logs', ...args]);
  if (exitCode !== 0 || stderr !== '') throw new Error(JSON.stringify({ args, exitCode, stdout, stderr }));
  return stdout;
}

describe('hrun logs', () => {
  test('shows each stream where it belongs, all or the end, with times or without', async () => {
    const script = 'for i in 1 2 3; do echo line $i; done; echo error >&2; printf "no end"';
    await store.hrun(['run', '--name', 'short', 'busybox', 'sh', '-c', script]);
    expect(await store.hrun(['logs', 'short'])).toEqual({
      exitCode: 0,
      stdout: 'line 1\nline 2\nline 3\nno end',
      stderr: 'error\n',
    });
    const { stdout } = await store.hrun(['logs', '--tail', '2', 'short']);
    expect('line 3\nno end').toContain(stdout);
    expect((await store.hrun(['logs', '-n', '0', 'short'])).stdout).toBe('');
    expect((await store.hrun(['logs', '-t', 'short'])).stdout).toMatch(
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z line 1\n/,
    );
    expect(await store.hrun(['logs', '--tail', 'x', 'short'])).toMatchObject({ exitCode: 125 });
  });

  test('--details shows labels and variables that the container was made to log', async () => {
    const options = ['-l', 'team=red & blue', '-l', 'other=1', '-e', 'XA=1', '-e', 'XB=b', '-e', 'Y=2'];
    const log = ['--log-opt', 'labels=team,none', '--log-opt', 'env=Y', '--log-opt', 'env-regex=^XB$'];
    await store.hrun(['run', '--name', 'told', ...options, ...log, 'busybox', 'echo', 'line']);
    expect(await logs('told')).toBe('line\n');
    expect(await logs('--details', 'told')).toBe('XB=b,Y=2,team=red+%26+blue line\n');
    expect(await logs('--details', '-t', 'told')).toMatch(/^\S{30} XB=b,Y=2,team=red\+%26\+blue line\n$/);
    expect(await store.ok('inspect', '-f', '{{json .HostConfig.LogConfig.Config}}', 'told')).toBe(
      '{"labels":"team,none","env":"Y","env-regex":"^XB$"}',
    );
  });

  test('--since and --until cut it to the nanosecond', async () => {
    await store.hrun([
      'run',
      '--name',
      'timed',
      'busybox',
      'sh',
      '-c',
      'for i in 1 2 3; do echo $i; sleep 0.1; done',
    ]);
    const times = (await logs('-t', 'timed'))
      .trimEnd()
      .split('\n')
      .map((line) => line.split(' ')[0]!);
    expect(await logs('--since', times[1]!, 'timed')).toBe('2\n3\n');
    expect(await logs('--until', times[1]!, 'timed')).toBe('1\n');
    expect(await logs('--since', times[1]!, '--until', times[2]!, 'timed')).toBe('2\n');
    expect(await logs('--since', '1h', 'timed')).toBe('1\n2\n3\n');
    expect(await logs('--until', '1h', 'timed')).toBe('');
  });

  test('-f goes on until the container ends, over rotations, and loses nothing', async () => {
    const options = ['--log-opt', 'max-size=20k', '--log-opt', 'max-file=3'];
    // Each burst begins a new file or two; three are kept: whoever reads one burst after the other finds all.
    const script =
      'echo ready; i=0; while read go; do for n in $(seq 300); do i=$((i+1)); echo line $i; done; done';
    const run = store.start(['run', '-i', '--name', 'long', ...options, 'busybox', 'sh', '-c', script], {
      stdin: 'pipe',
    });
    await eventually(async () => (await store.hrun(['logs', 'long'])).stdout === 'ready\n');
    const following = store.start(['logs', '-f', 'long']);
    let heard = '';
    following.stdout.on('data', (bytes) => (heard += bytes));
    const hears = (line: string) => eventually(() => heard.endsWith(`${line}\n`));
    await hears('ready');
    for (let lines = 300; lines <= 3000; lines += 300) {
      run.stdin!.write('go\n');
      await hears(`line ${lines}`);
    }
    run.stdin!.end();
    const { stdout, exitCode } = await following;
    await run;
    const expected = `ready\n${Array.from({ length: 3000 }, (_, i) => `line ${i + 1}\n`).join('')}`;
    expect(exitCode).toBe(0);
    expect(stdout).toBe(expected);
    const directory = join(
      store.dir,
      'containers',
      store
        .containers()
        .find((id) =>
          statSync(join(store.dir, 'containers', id, 'container.log.1'), { throwIfNoEntry: false }),
        )!,
    );
    const files = readdirSync(directory)
      .filter((name) => name.startsWith('container.log'))
      .sort();
    expect(files).toEqual(['container.log', 'container.log.1', 'container.log.2']);
    for (const file of files) expect(statSync(join(directory, file)).size).toBeLessThan(25_000);
    const rest = await logs('long');
    expect(expected.endsWith(rest)).toBe(true);
    expect(rest.length).toBeGreaterThan(5000);
    expect(await logs('--tail', '1000', 'long')).toBe(rest.split('\n').slice(-1001).join('\n'));
  });

  test('-f ends at --until, and with a container that is removed', async () => {
    await store.ok(
      'run',
      '-d',
      '--name',
      'talks',
      'busybox',
      'sh',
      '-c',
      'while :; do echo x; sleep 0.1; done',
    );
    await eventually(async () => (await logs('talks')) !== '');
    const soon = new Date(Date.now() + 1500).toISOString();
    const until = await logs('-f', '--until', soon, 'talks');
    expect(until).toMatch(/^(x\n)+$/);
    const following = store.start(['logs', '-f', 'talks']);
    await new Promise((resolve) => following.stdout.once('data', resolve));
    await store.ok('rm', '-f', 'talks');
    expect(await following).toMatchObject({ exitCode: 0, stderr: '' });
  });

  test('a container without a log says so', async () => {
    await store.hrun(['run', '--name', 'mute', '--log-driver', 'none', 'busybox', 'echo', 'x']);
    expect(await store.hrun(['logs', 'mute'])).toMatchObject({
      exitCode: 1,
      stderr: 'hrun: container mute keeps no log; it was made with --log-driver none\n',
    });
  });
});
