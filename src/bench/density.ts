// SPDX-License-Identifier: Apache-2.0
// What idle containers cost the host in memory.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import type { Root } from '../base/root.ts';
import { containerDirectory, readState } from '../container/index.ts';
import { hostCost } from '../core/host-cost.ts';
import { BenchFailure } from './failure.ts';
import { describeHost, type Host } from './host.ts';
import { hrunSubjects } from './hrun-subjects.ts';
import type { Subject } from './subject.ts';

export interface DensityRow {
  name: string;
  containers: number;
  /** bytes a container: what its processes have for themselves, and their shares of what they have in common with others */
  pss: number;
  /** bytes by which the host's available memory has shrunk, a container */
  available: number;
}

export interface DensityResult {
  date: string;
  host: Host;
  image: string;
  rows: DensityRow[];
}

export interface DensityOptions {
  image: string;
  containers: number;
  /** milliseconds between the last start and the measuring */
  settleMs: number;
}

const IDLE = ['sleep', '1000000'];

/** Starts idle containers in each way in which this host can start a machine, measures, and removes them. BENCH_FAILED. */
export async function measureDensity(
  root: Root,
  { image, containers, settleMs }: DensityOptions,
): Promise<DensityResult> {
  const { subjects } = await hrunSubjects(root, image, IDLE);
  const rows: DensityRow[] = [];
  for (const subject of subjects) {
    const ids: string[] = [];
    const before = availableMemory();
    try {
      for (let i = 0; i < containers; i++) ids.push(await start(subject));
      await sleep(settleMs);
      const pss = ids.reduce((sum, id) => sum + pssOf(root, id), 0);
      const available = Math.max(0, before - availableMemory());
      rows.push({ name: subject.name, containers, pss: pss / containers, available: available / containers });
    } finally {
      await remove(subject, ids);
    }
  }
  return { date: new Date().toISOString(), host: describeHost(), image, rows };
}

async function start({ name, argv, env }: Subject): Promise<string> {
  const [program, , ...words] = argv; // run --rm becomes run -d --rm
  const line = ['run', '-d', ...words];
  const { exitCode, stdout, stderr } = await execa(program!, line, { env, reject: false, stdin: 'ignore' });
  if (exitCode !== 0) throw new BenchFailure(name, stderr.trim(), [program!, ...line]);
  return stdout.trim();
}

async function remove({ argv, env }: Subject, ids: readonly string[]): Promise<void> {
  if (ids.length > 0) await execa(argv[0]!, ['rm', '-f', ...ids], { env, reject: false });
}

/** Bytes; 0 of one that has ended. */
function pssOf(root: Root, id: string): number {
  const state = readState(containerDirectory(root, id));
  return state ? hostCost(state).memoryBytes : 0;
}

function availableMemory(): number {
  return Number(/^MemAvailable:\s+(\d+)/m.exec(readFileSync('/proc/meminfo', 'latin1'))![1]) * 1024;
}
