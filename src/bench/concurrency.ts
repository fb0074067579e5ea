// SPDX-License-Identifier: Apache-2.0
// How long `run --rm IMAGE COMMAND` takes when several are started at once: latency of each, and throughput of all.
import type { Root } from '../base/root.ts';
import { BenchFailure } from './failure.ts';
import { describeHost, type Host } from './host.ts';
import { hrunSubjects } from './hrun-subjects.ts';
import { type Summary, summarize } from './statistics.ts';
import { millisecondsSince, type Subject, timedRun } from './subject.ts';

export interface ConcurrencyRow extends Summary {
  name: string;
  /** started at once */
  together: number;
  /** containers a second, from the first start to the last end */
  throughput: number;
  /** that failed: their times are left out */
  failed: number;
}

export interface ConcurrencyResult {
  date: string;
  host: Host;
  image: string;
  command: string;
  rows: ConcurrencyRow[];
}

export interface ConcurrencyOptions {
  image: string;
  command: readonly string[];
  /** 1, 2, 4 and so on up to this */
  most: number;
  /** of each number */
  rounds: number;
}

/** Measures hrun, in each way in which this host can start a machine. BENCH_FAILED when none of them works. */
export async function measureConcurrency(
  root: Root,
  { image, command, most, rounds }: ConcurrencyOptions,
  progress: (row: ConcurrencyRow) => void,
): Promise<ConcurrencyResult> {
  const { subjects } = await hrunSubjects(root, image, command);
  const rows: ConcurrencyRow[] = [];
  for (const together of powersOfTwo(most)) {
    for (const subject of subjects) {
      const row = await measure(subject, together, rounds);
      rows.push(row);
      progress(row);
    }
  }
  return { date: new Date().toISOString(), host: describeHost(), image, command: command.join(' '), rows };
}

async function measure(subject: Subject, together: number, rounds: number): Promise<ConcurrencyRow> {
  const times: number[] = [];
  let elapsed = 0;
  for (let round = 0; round < rounds; round++) {
    const begin = process.hrtime.bigint();
    const all = await Promise.all(Array.from({ length: together }, () => timedRun(subject)));
    elapsed += millisecondsSince(begin);
    times.push(...all.filter(({ failed }) => !failed).map(({ ms }) => ms));
  }
  const failed = together * rounds - times.length;
  if (times.length === 0) throw new BenchFailure(subject.name, `all of ${together} started at once`);
  const throughput = (times.length / elapsed) * 1000;
  return { name: subject.name, together, ...summarize(times), throughput, failed };
}

function powersOfTwo(most: number): number[] {
  return Array.from({ length: Math.floor(Math.log2(most)) + 1 }, (_, exponent) => 2 ** exponent);
}
