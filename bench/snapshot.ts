// SPDX-License-Identifier: Apache-2.0
// S16, S17: restoring a snapshot under the kvm engine, from main() to the guest's next instruction. S18: memory of many machines of one
// snapshot, each a process of its own as hrun-vmm is, whose guests use their memory as a kernel would.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Figures, PROJECT, report } from './harness.ts';

const RUNS = 40;
const MACHINES = 50;
const program = join(PROJECT, 'build/native/bench/snapshot/hrun_snapshot_bench');
const guest = join(PROJECT, 'build/native/guests/bench-snapshot.elf');

const directory = mkdtempSync(join(tmpdir(), 'hrun-bench-snapshot-'));
try {
  const measured = restoreTimes();
  const small = measured['128 MiB: first instruction']!.median;
  const large = measured['1024 MiB: first instruction']!.median;
  const pss = await memoryOfMachines();
  const kept = report(
    'snapshot',
    measured,
    [
      { id: 'S16', what: 'restore of 128 MiB to the next instruction, ms', ratio: small, atMost: 5 },
      { id: 'S17', what: 'restore of 1 GiB to restore of 128 MiB', ratio: large / small, atMost: 1.2 },
      { id: 'S18', what: `PSS of each of ${MACHINES} machines, MiB`, ratio: pss.mean, atMost: 12 },
    ],
    { pssMiB: pss },
  );
  process.exitCode = kept ? 0 : 1;
} finally {
  rmSync(directory, { recursive: true });
}

/** Restores of both sizes in turn, each in a process of its own. */
function restoreTimes(): Record<string, Figures> {
  const times = new Map<string, number[]>();
  for (const size of [128, 1024]) execFileSync(program, ['make', guest, `${size}`, file(size)]);
  for (let run = -3; run < RUNS; run++) {
    for (const size of [128, 1024]) {
      for (const line of execFileSync(program, ['restore', file(size)], { encoding: 'utf8' })
        .trim()
        .split('\n')) {
        const { step, us } = JSON.parse(line) as { step: string; us: number };
        const name = `${size} MiB: ${step}`;
        if (run >= 0) times.set(name, [...(times.get(name) ?? []), us / 1000]);
      }
    }
  }
  return Object.fromEntries([...times].map(([step, all]) => [step, figures(all)]));
}

/** Proportional set sizes: what several machines share counts once for all. */
async function memoryOfMachines() {
  const machines: ChildProcess[] = [];
  try {
    for (let i = 0; i < MACHINES; i++) {
      const machine = spawn(program, ['hold', file(128)], { stdio: ['pipe', 'pipe', 'inherit'] });
      machines.push(machine);
      await once(machine.stdout!, 'data');
    }
    const all = machines.map(({ pid }) => pssKiB(pid!) / 1024).sort((a, b) => a - b);
    const mean = all.reduce((sum, one) => sum + one, 0) / all.length;
    return { machines: MACHINES, mean, min: all[0]!, max: all.at(-1)! };
  } finally {
    for (const machine of machines) machine.stdin!.end();
    await Promise.all(machines.map((machine) => machine.exitCode ?? once(machine, 'exit')));
  }
}

function pssKiB(pid: number): number {
  return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))![1]);
}

function file(mebibytes: number): string {
  return join(directory, `${mebibytes}`);
}

function figures(all: number[]): Figures {
  const sorted = all.sort((a, b) => a - b);
  return { min: sorted[0]!, median: sorted[sorted.length >> 1]!, max: sorted.at(-1)!, runs: sorted.length };
}
