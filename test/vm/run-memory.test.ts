// SPDX-License-Identifier: Apache-2.0
// What a guest has used once and freed is the host's again, while the container runs (virtio-balloon, free page reporting).
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually, FIXTURES, TestStore } from './hrun.ts';

const MIB = 1024;
const USED = 128 * MIB;

const store = new TestStore();
beforeAll(() => store.load(FIXTURES));
afterAll(() => store.remove());

/** KiB of guest memory that the host has in use for a machine. */
function guestMemory(pid: number): number {
  return Number(/^RssShmem:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]);
}

test('memory that the guest has freed goes back to the host while the container runs', async () => {
  const script = `dd if=/dev/zero of=/big bs=1M count=${USED / MIB} 2>/dev/null; echo used; read go; rm /big; echo freed; read go`;
  const run = store.start(['run', '--rm', '-i', 'busybox', 'sh', '-c', script], { stdin: 'pipe' });
  let said = '';
  run.stdout.on('data', (bytes) => (said += bytes));
  await eventually(() => said.includes('used'));
  const { vmmPid } = await store.reached('running');
  const used = guestMemory(vmmPid);
  expect(used).toBeGreaterThan(USED);
  run.stdin.write('\n');
  await expect.poll(() => guestMemory(vmmPid), { timeout: 100_000 }).toBeLessThan(used - (USED * 3) / 4);
  run.stdin.write('\n');
  expect((await run).exitCode).toBe(0);
});
