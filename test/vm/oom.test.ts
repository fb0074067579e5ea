// SPDX-License-Identifier: Apache-2.0
// A container whose process the guest's OOM killer has ended says so, as Docker has it.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FIXTURES, TestStore } from './hrun.ts';

const store = new TestStore();
beforeAll(() => store.load(FIXTURES));
afterAll(() => store.remove());

const stateOf = async (name: string) =>
  JSON.parse((await store.hrun(['inspect', '-f', '{{json .State}}', name])).stdout);

describe('out of memory', () => {
  test('in the whole guest: exit code 137, OOMKilled, and ps says Exited (137)', async () => {
    const { exitCode } = await store.hrun([
      'run',
      '--name',
      'full',
      '-m',
      '64m',
      'busybox',
      'tail',
      '/dev/zero',
    ]);
    expect(exitCode).toBe(137);
    expect(await stateOf('full')).toMatchObject({ Status: 'exited', ExitCode: 137, OOMKilled: true });
    const { stdout } = await store.hrun(['ps', '-a', '--format', '{{.Names}} {{.Status}}']);
    expect(stdout).toMatch(/^full Exited \(137\) /);
  });

  test('of one large allocation: it is had, and killed when it is used, not refused', async () => {
    const dd = ['dd', 'if=/dev/zero', 'of=/dev/null', 'bs=200M', 'count=1'];
    const { exitCode } = await store.hrun(['run', '--name', 'large', '-m', '64m', 'busybox', ...dd]);
    expect(exitCode).toBe(137);
    expect(await stateOf('large')).toMatchObject({ ExitCode: 137, OOMKilled: true });
  });

  test('of a child: the container that passes its exit code on was killed by it', async () => {
    const script = 'tail /dev/zero; exit $?';
    await store.hrun(['run', '--name', 'child', '-m', '64m', 'busybox', 'sh', '-c', script]);
    expect(await stateOf('child')).toMatchObject({ ExitCode: 137, OOMKilled: true });
  });

  test('a container that was killed by a signal was not killed for its memory', async () => {
    await store.hrun(['run', '-d', '--name', 'killed', '-m', '64m', 'busybox', 'sleep', '600']);
    await store.hrun(['kill', 'killed']);
    expect(await stateOf('killed')).toMatchObject({ ExitCode: 137, OOMKilled: false });
  });
});
