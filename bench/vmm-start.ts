// SPDX-License-Identifier: Apache-2.0
// S8: the VMM's start, from process start to the guest's first instruction, in CPU time; and each step of it in wall time.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { type Figures, PROJECT, report } from './harness.ts';

const RUNS = 30;
const program = join(PROJECT, 'build/native/bench/vmm-start/hrun_vmm_start_bench');
const guest = join(PROJECT, 'build/native/guests/start.elf');

const times = new Map<string, number[]>();
for (let run = -2; run < RUNS; run++) {
  for (const line of execFileSync(program, [guest], { encoding: 'utf8' }).trim().split('\n')) {
    const { step, us } = JSON.parse(line) as { step: string; us: number };
    if (run >= 0) times.set(step, [...(times.get(step) ?? []), us / 1000]);
  }
}
const measured = Object.fromEntries([...times].map(([step, all]) => [step, figures(all)]));
const what = 'process start to first guest instruction, 128 MiB, ms of CPU time';
const ratio = measured['CPU time']!.median;
process.exitCode = report('vmm-start', measured, [{ id: 'S8', what, ratio, atMost: 8 }]) ? 0 : 1;

function figures(all: number[]): Figures {
  const sorted = all.sort((a, b) => a - b);
  return { min: sorted[0]!, median: sorted[sorted.length >> 1]!, max: sorted.at(-1)!, runs: sorted.length };
}
