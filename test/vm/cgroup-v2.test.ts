// SPDX-License-Identifier: Apache-2.0
// Control groups of version 2, on a kernel that has nothing else: the guest's. The native tests of the host's control groups
// run there, in a part of the tree whose own processes have made room, as on a host whose root has none.
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FIXTURES, PROJECT, TestStore } from './hrun.ts';

const store = new TestStore();
beforeAll(() => store.load(FIXTURES));
afterAll(() => store.remove());

const SCRIPT = `
cd /sys/fs/cgroup && mkdir init
for process in $(cat cgroup.procs); do echo $process >init/cgroup.procs; done 2>/dev/null
lib=/host/lib/x86_64-linux-gnu
exec $lib/ld-linux-x86-64.so.2 --library-path $lib /test/jail_test --test-case='*group*,*limit*'`;

test('limits of a VM are in force where control groups are of version 2', async () => {
  const mounts = ['-v', `${join(PROJECT, 'build/native/test/jail')}:/test:ro`, '-v', '/usr:/host:ro'];
  const { stdout, exitCode } = await store.hrun([
    ...['run', '--rm', '--privileged', ...mounts, 'busybox', 'sh', '-c', SCRIPT],
  ]);
  expect(stdout).toContain('Status: SUCCESS!');
  expect(exitCode).toBe(0);
  const [, ran] = /test cases: +(\d+) \|/.exec(stdout) ?? [];
  expect(Number(ran)).toBeGreaterThanOrEqual(4);
});
