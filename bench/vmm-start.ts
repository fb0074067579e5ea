// SPDX-License-Identifier: Apache-2.0
// S8: the VMM's start in CPU time: hrun-vmm with its jail, and the VMM alone from process start to the guest's first
// instruction, with each step of it in wall time.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { VmConfig } from '../src/vm/vm-config.ts';
import { MonitorRig } from '../test/vm/monitor-rig.ts';
import { type Figures, PROJECT, report } from './harness.ts';

const RUNS = 30;
const program = join(PROJECT, 'build/native/bench/vmm-start/hrun_vmm_start_bench');
const guest = join(PROJECT, 'build/native/guests/start.elf');

const CHANGE = {
  ...{ engine: 'kvm', qemu: undefined, memoryMiB: 128 },
  kernel: join(PROJECT, 'build/native/guests/agent.elf'),
} as Partial<VmConfig>;

using rig = new MonitorRig();
const times = new Map<string, number[]>();
for (let run = -2; run < RUNS; run++) {
  for (const line of execFileSync(program, [guest], { encoding: 'utf8' }).trim().split('\n')) {
    const { step, us } = JSON.parse(line) as { step: string; us: number };
    if (run >= 0) times.set(step, [...(times.get(step) ?? []), us / 1000]);
  }
}
for (let run = -2; run < RUNS; run++) {
  const ms = await monitorStart();
  if (run >= 0) times.set('hrun-vmm, jailed', [...(times.get('hrun-vmm, jailed') ?? []), ms]);
}
const measured = Object.fromEntries([...times].map(([step, all]) => [step, figures(all)]));
const what = 'start of keeper and jailed monitor to the answer of the guest, 128 MiB, ms of CPU time';
const ratio = measured['hrun-vmm, jailed']!.median;
process.exitCode = report('vmm-start', measured, [{ id: 'S8', what, ratio, atMost: 8 }]) ? 0 : 1;

/** CPU time of keeper and monitor, threads of vCPU and disk left out, from their start until a bare-metal agent has answered. */
async function monitorStart(): Promise<number> {
  const directory = rig.container(['wait'], CHANGE);
  const client = rig.run(directory);
  await client.started;
  const { monitorPid, vmmPid } = rig.state(directory);
  const ms = [monitorPid, vmmPid].reduce((sum, pid) => sum + cpuTime(pid), 0);
  process.kill(monitorPid, 'SIGTERM');
  await client.ended;
  return ms;
}

function cpuTime(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
}

function figures(all: number[]): Figures {
  const sorted = all.sort((a, b) => a - b);
  return { min: sorted[0]!, median: sorted[sorted.length >> 1]!, max: sorted.at(-1)!, runs: sorted.length };
}
