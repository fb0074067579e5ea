// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FIXTURES, TestStore } from './hrun.ts';

const store = new TestStore();
beforeAll(() => store.load(FIXTURES));
afterAll(() => store.remove());

const path = (name: string) => join(store.dir, name);
/** for a command that starts a dozen containers */
const MEASURED_MS = 900_000;
const measured = (args: string[]) => store.start(args, { timeout: MEASURED_MS });

test('hrun is measured beside a namespace container, and nothing is left behind', {
  timeout: MEASURED_MS,
}, async () => {
  const images = (await store.hrun(['images'])).stdout;
  const files = ['--json', path('result.json'), '--html', path('result.html')];
  const { stdout, stderr, exitCode } = await measured([
    'bench',
    'startup',
    '--runs',
    '2',
    '--warmups',
    '1',
    '--peers',
    'runc,kata',
    ...files,
    'busybox',
    'echo',
    'hi',
  ]);
  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
  expect(stdout).toMatch(/^busybox echo hi, from execve of the command to its exit; times in ms\n/);
  expect(stdout).toMatch(/\nhrun, booted \(qemu\) +2 +[\d.]+ .*\([\d.]+ to [\d.]+\)\n/);
  expect(stdout).toMatch(/\nhrun, template \(qemu\) +2 /);
  expect(stdout).toMatch(/\nhrun, pool \(qemu\) +2 /);
  expect((await store.hrun(['pool', 'ls', '--format', 'json'])).stdout).toBe('');
  expect(stdout).toMatch(/\nrunc +2 .* 1\n/);
  expect(stdout).toMatch(/\nnot measured: kata: not installed\n/);

  const result = JSON.parse(readFileSync(path('result.json'), 'utf8'));
  const template = result.rows.find(({ name }: { name: string }) => name === 'hrun, template (qemu)');
  expect(template.times).toHaveLength(2);
  expect(template.stages.map(({ label }: { label: string }) => label)).toEqual(
    expect.arrayContaining([
      'monitor started',
      'agent answers',
      'guest configured',
      'process started',
      'hrun ends',
    ]),
  );
  expect(readFileSync(path('result.html'), 'utf8')).toContain('</svg>');
  expect((await store.hrun(['images'])).stdout).toBe(images);
  expect(store.containers()).toEqual([]);
});

test('containers that are started at once are measured', { timeout: MEASURED_MS }, async () => {
  const args = [
    'bench',
    'concurrency',
    '--most',
    '3',
    '--rounds',
    '1',
    '--json',
    path('at-once.json'),
    'busybox',
  ];
  const { stdout, stderr, exitCode } = await measured(args);
  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
  expect(stdout).toMatch(/\nhrun, template \(qemu\) +2 +[\d.]+ .* 0\n/);
  const { rows } = JSON.parse(readFileSync(path('at-once.json'), 'utf8'));
  expect(
    rows.map(({ together, failed }: { together: number; failed: number }) => [together, failed]),
  ).toEqual([
    ...[
      [1, 0],
      [1, 0],
      [2, 0],
      [2, 0],
    ],
  ]);
  expect(store.containers()).toEqual([]);
});

test('the memory of idle containers is measured, and they are gone afterwards', {
  timeout: MEASURED_MS,
}, async () => {
  const args = [
    'bench',
    'density',
    '--containers',
    '2',
    '--settle',
    '1',
    '--json',
    path('density.json'),
    'busybox',
  ];
  const { stdout, stderr, exitCode } = await measured(args);
  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
  expect(stdout).toMatch(/\nhrun, template \(qemu\) +2 +[\d.]+MiB/);
  for (const { pss } of JSON.parse(readFileSync(path('density.json'), 'utf8')).rows) {
    expect(pss).toBeGreaterThan(10 * 2 ** 20);
    expect(pss).toBeLessThan(500 * 2 ** 20);
  }
  expect(store.containers()).toEqual([]);
});

describe('what cannot be measured', () => {
  const wrong: [string[], RegExp][] = [
    [['--runs', 'many', 'busybox'], /--runs "many" is not a number from 1 to 10000/],
    [['--peers', 'lxc', 'busybox'], /--peers: lxc is not known; known: runc, crun, podman/],
    [['--json', '/nonexistent/x.json', 'busybox'], /\/nonexistent\/x.json cannot be written/],
    [['--peers', '', '--baseline', 'runc', 'busybox'], /the baseline runc is not among what is measured/],
    [['--runs', '1', '--peers', '', 'busybox', 'false'], /hrun, booted \(qemu\) failed/],
    [['--peers', '', 'no-such-image:here'], /^hrun: no such image: no-such-image:here/],
  ];
  test.each(wrong)('%j is one clear line', async (args, message) => {
    const { exitCode, stderr } = await store.hrun(['bench', 'startup', ...args]);
    expect(exitCode).not.toBe(0);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(store.containers()).toEqual([]);
  });
});

test('HRUN_TRACE has the stages of a start written as a Chrome trace', async () => {
  const env = { ...store.env, HRUN_TRACE: path('trace.json') };
  expect(await store.start(['run', '--rm', 'busybox', 'true'], { env })).toMatchObject({
    exitCode: 0,
    stderr: '',
  });
  const { traceEvents } = JSON.parse(readFileSync(path('trace.json'), 'utf8'));
  for (const [index, { ph, ts, dur }] of traceEvents.entries()) {
    expect(ph).toBe('X');
    if (index > 0) expect(ts).toBeCloseTo(traceEvents[index - 1].ts + traceEvents[index - 1].dur, 0);
    expect(dur).toBeGreaterThanOrEqual(0);
  }
  expect(traceEvents.map(({ name }: { name: string }) => name)).toContain('agent answers');
  const nowhere = { ...store.env, HRUN_TRACE: '/nonexistent/trace' };
  const failed = await store.start(['run', '--rm', 'busybox', 'true'], { env: nowhere });
  expect(failed.stderr).toMatch(/HRUN_TRACE cannot be written/);
  expect(existsSync('/nonexistent')).toBe(false);
});
