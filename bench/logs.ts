// SPDX-License-Identifier: Apache-2.0
// S13: a container that writes 1 GiB into its log while `hrun logs -f` reads it: what its monitor needs.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HRUN, PROJECT, report } from './harness.ts';

const BYTES = Number(process.env.HRUN_BENCH_LOG_BYTES ?? 1024 ** 3);
const MOST_MIB = 20;

const dir = mkdtempSync(join(tmpdir(), 'hrun-bench-logs-'));
const env = {
  ...process.env,
  HRUN_ROOT: join(dir, 'hrun'),
  HRUN_ENGINE: 'qemu',
  HRUN_NETWORK: 'none',
  HRUN_TEMPLATES: 'off',
};
try {
  hrun('load', '-i', join(PROJECT, 'build/fixtures/oci'));
  const script = `read go; yes 'a line of output as programs write them, neither short nor long' | head -c ${BYTES}; sleep 1000`;
  hrun('run', '-d', '-i', '--name', 'writer', 'busybox', 'sh', '-c', script);
  const monitor = Number(hrun('inspect', '-f', '{{.State.Pid}}', 'writer'));
  const started = process.hrtime.bigint();
  const received = await follow();
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  const peak = peakMiB(monitorOf(monitor));
  console.log(`${received} bytes in ${seconds.toFixed(1)} s through log and logs -f`);
  const kept = report(
    'logs',
    {},
    [{ id: 'S13', what: "monitor's peak memory, MiB", ratio: peak, atMost: MOST_MIB }],
    {
      bytes: received,
      seconds,
      peakMiB: peak,
    },
  );
  process.exitCode = kept && received === BYTES ? 0 : 1;
} finally {
  hrun('rm', '-f', 'writer');
  rmSync(dir, { recursive: true, force: true });
}

function hrun(...args: string[]): string {
  return execFileSync(HRUN, args, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

/** Starts the writer, follows its log to the last byte, and returns how many came. */
async function follow(): Promise<number> {
  const logs = spawn(HRUN, ['logs', '-f', 'writer'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const attach = spawn(HRUN, ['attach', 'writer'], { env, stdio: ['pipe', 'ignore', 'inherit'] });
  attach.stdin.write('go\n');
  let received = 0;
  const complete = new Promise<void>((resolve) => {
    logs.stdout.on('data', (chunk: Buffer) => {
      received += chunk.length;
      if (received >= BYTES) resolve();
    });
  });
  await complete;
  logs.kill();
  attach.kill('SIGKILL'); // anything else it passes on
  await Promise.all([once(logs, 'exit'), once(attach, 'exit')]);
  return received;
}

/** The monitor is the parent of its machine. */
function monitorOf(machine: number): number {
  return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${machine}/status`, 'utf8'))![1]);
}

function peakMiB(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024;
}
