// SPDX-License-Identifier: Apache-2.0
// The guest's kernel has what programs in containers ask of one.
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FIXTURES, TestStore } from './hrun.ts';

let store: TestStore;
beforeAll(async () => {
  store = new TestStore();
  await store.load(FIXTURES);
});
afterAll(() => store.remove());

test('namespaces, cgroups, netfilter, links, file systems, io_uring, BPF, seccomp: each is used once', async () => {
  const program = join(store.dir, 'features');
  await execa('gcc', [
    '-static',
    '-O1',
    '-Wall',
    '-Wextra',
    '-Werror',
    '-o',
    program,
    join(import.meta.dirname, 'kernel/features.c'),
  ]);
  const script = 'cat >/features; chmod 755 /features; exec /features';
  const { stdout, stderr } = await store.start(
    ['run', '-i', '--rm', '--privileged', 'busybox', 'sh', '-c', script],
    {
      stdin: 'pipe',
      inputFile: program,
    },
  );
  expect(stderr).toBe('');
  const lines = stdout.trimEnd().split('\n');
  expect(lines.filter((line) => !line.endsWith(' ok'))).toEqual([]);
  expect(lines.length).toBeGreaterThan(15);
});
