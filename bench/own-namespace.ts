// SPDX-License-Identifier: Apache-2.0
import { execFileSync, spawnSync } from 'node:child_process';

const INSIDE = 'HRUN_BENCH_INSIDE';

/** True in a network namespace of the bench's own; elsewhere `program`, the bench, is run again in one, and this process is to end as that has. */
export function isInOwnNetwork(program: string): boolean {
  if (process.env[INSIDE] !== undefined) {
    execFileSync('ip', ['link', 'set', 'lo', 'up']);
    return true;
  }
  const { status } = spawnSync('unshare', ['-n', process.execPath, program, ...process.argv.slice(2)], {
    stdio: 'inherit',
    env: { ...process.env, [INSIDE]: '1' },
  });
  process.exitCode = status ?? 1;
  return false;
}
