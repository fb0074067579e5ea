// SPDX-License-Identifier: Apache-2.0
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { FIXTURES, TestStore } from './hrun.ts';

let store: TestStore;
beforeAll(async () => {
  store = new TestStore();
  await store.load(FIXTURES);
});
afterEach(() => store.clear());
afterAll(() => store.remove());

/** Waits until `hrun inspect -f FORMAT NAME` prints `wanted`. */
async function becomes(name: string, format: string, wanted: RegExp): Promise<string> {
  let seen = '';
  for (let attempt = 0; attempt < 300; attempt++) {
    seen = (await store.hrun(['inspect', '-f', format, name])).stdout.trimEnd();
    if (wanted.test(seen)) return seen;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${name} never became ${wanted}, it is ${seen}`);
}

describe('--restart', () => {
  test('on-failure:2 starts it again twice, with what it has written, and leaves it then', async () => {
    const script = 'echo run; echo x >>/runs; wc -l </runs; exit 3';
    await store.hrun([
      'run',
      '-d',
      '--name',
      'fails',
      '--restart',
      'on-failure:2',
      'busybox',
      'sh',
      '-c',
      script,
    ]);
    await becomes('fails', '{{.State.Status}} {{.State.ExitCode}} {{.RestartCount}}', /^exited 3 2$/);
    expect((await store.hrun(['logs', 'fails'])).stdout).toBe('run\n1\nrun\n2\nrun\n3\n');
  });

  test('on-failure leaves one alone that ended well', async () => {
    await store.hrun(['run', '-d', '--name', 'well', '--restart', 'on-failure', 'busybox', 'true']);
    await becomes('well', '{{.State.Status}} {{.RestartCount}}', /^exited 0$/);
  });

  test('always starts it again whatever its code, until it is stopped', async () => {
    await store.hrun(['run', '-d', '--name', 'again', '--restart', 'always', 'busybox', 'true']);
    await becomes('again', '{{.RestartCount}}', /^[1-9]/);
    expect(await store.hrun(['stop', 'again'])).toMatchObject({ exitCode: 0, stderr: '' });
    await becomes('again', '{{.State.Status}}', /^exited$/);
    await new Promise((resolve) => setTimeout(resolve, 500));
    await becomes('again', '{{.State.Status}}', /^exited$/);
    await store.hrun(['start', 'again']);
    await store.hrun(['rm', '-f', 'again']);
    expect(store.containers()).toEqual([]);
  });

  test('contradicts --rm', async () => {
    expect(await store.hrun(['run', '--rm', '--restart', 'always', 'busybox', 'true'])).toMatchObject({
      exitCode: 125,
      stderr: 'hrun: --rm and --restart contradict each other; leave one out\n',
    });
  });
});
