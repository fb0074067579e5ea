// SPDX-License-Identifier: Apache-2.0
// What the shell offers for a container, by what the container is doing.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FIXTURES, TestStore } from './hrun.ts';

const store = new TestStore();
beforeAll(async () => {
  await store.load(FIXTURES);
  await store.ok('create', '--name', 'fresh', 'busybox', 'true');
  await store.ok('run', '--name', 'done', 'busybox', 'true');
  await store.ok('run', '-d', '--name', 'busy', 'busybox', 'sleep', '600');
  await store.ok('run', '-d', '--name', 'still', 'busybox', 'sleep', '600');
  await store.ok('pause', 'still');
});
afterAll(async () => {
  await store.clear();
  store.remove();
});

async function offered(...words: string[]): Promise<string[]> {
  const lines = await store.ok('completion', '--candidates', '--', ...words);
  return lines
    .split('\n')
    .map((line) => line.split('\t')[0]!)
    .sort();
}

describe('completion offers containers', () => {
  test.each([
    ['start', ['done', 'fresh']],
    ['stop', ['busy', 'still']],
    ['kill', ['busy', 'still']],
    ['exec', ['busy']],
    ['attach', ['busy']],
    ['pause', ['busy']],
    ['unpause', ['still']],
    ['logs', ['busy', 'done', 'fresh', 'still']],
    ['rm', ['done', 'fresh']],
  ])('%s', async (command, containers) => {
    expect(await offered(command, '')).toEqual(containers);
  });

  test('that are not on the command line already, and all for rm -f', async () => {
    expect(await offered('stop', 'busy', '')).toEqual(['still']);
    expect(await offered('rm', '-fv', 'busy', '')).toEqual(['done', 'fresh', 'still']);
    expect(await offered('container', 'stop', 'b')).toEqual(['busy']);
  });
});
