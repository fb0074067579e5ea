// SPDX-License-Identifier: Apache-2.0
// Measures whole commands side by side: subjects take turns within one run, so that a machine whose speed
// drifts slows all of them alike. Quote medians and ratios, never single times.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeHost } from '../src/bench/host.ts';
import { summarize } from '../src/bench/statistics.ts';

export const PROJECT = join(import.meta.dirname, '..');
export const HRUN = join(PROJECT, 'bin/hrun');

export interface Subject {
  readonly name: string;
  /** the command; its output is dropped, a non-zero exit code ends the bench */
  readonly argv: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** brings the world back to where the command starts from; not measured */
  readonly before?: () => void;
}

/** What was measured of one subject again and again; of commands their wall times in milliseconds. */
export interface Figures {
  min: number;
  median: number;
  max: number;
  runs: number;
}

/**
 * Runs the subjects in turn, `warmup` uncounted rounds first; returns figures by subject name. The order is another in each round: what a command
 * leaves the host to do when it has ended is to slow down every other alike.
 */
export function measure(
  subjects: readonly Subject[],
  options: { runs: number; warmup?: number },
): Record<string, Figures> {
  const times = new Map(subjects.map((subject) => [subject.name, [] as number[]]));
  const warmup = options.warmup ?? 1;
  for (let round = -warmup; round < options.runs; round++) {
    for (const subject of shuffled(subjects)) {
      const elapsed = runOnce(subject);
      if (round >= 0) times.get(subject.name)!.push(elapsed);
    }
  }
  return Object.fromEntries([...times].map(([name, all]) => [name, figures(all)]));
}

/** One promised ratio, printed and kept in bench/results/NAME.json with the host it was measured on. */
export interface Promised {
  id: string;
  what: string;
  ratio: number;
  atMost: number;
}

/** Prints the figures and ratios, writes bench/results/NAME.json, and returns whether every promise was kept. */
export function report(
  name: string,
  measured: Record<string, Figures>,
  promises: Promised[],
  extra: object = {},
): boolean {
  for (const [subject, f] of Object.entries(measured)) {
    console.log(
      `${subject.padEnd(44)} ${f.median.toFixed(1)} ms (min ${f.min.toFixed(1)}, max ${f.max.toFixed(1)}, n ${f.runs})`,
    );
  }
  for (const promise of promises) {
    const verdict = promise.ratio <= promise.atMost ? 'kept' : 'MISSED';
    console.log(
      `${promise.id} ${promise.what}: ${promise.ratio.toFixed(2)} (at most ${promise.atMost}) ${verdict}`,
    );
  }
  const results = join(PROJECT, 'bench', 'results');
  mkdirSync(results, { recursive: true });
  const record = {
    bench: name,
    date: new Date().toISOString(),
    host: { ...describeHost(), node: process.versions.node },
    measured,
    promises,
    ...extra,
  };
  writeFileSync(join(results, `${name}.json`), `${JSON.stringify(record, null, 2)}\n`);
  return promises.every((promise) => promise.ratio <= promise.atMost);
}

function shuffled<T>(all: readonly T[]): T[] {
  return all
    .map((each) => ({ each, place: Math.random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ each }) => each);
}

function runOnce(subject: Subject): number {
  subject.before?.();
  const [command, ...args] = subject.argv;
  const start = process.hrtime.bigint();
  const result = spawnSync(command!, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: subject.env ?? process.env,
    maxBuffer: 64 << 20,
  });
  const elapsed = Number(process.hrtime.bigint() - start) / 1e6;
  if (result.status !== 0) {
    throw new Error(
      `${subject.name} failed (${result.status ?? result.signal}): ${result.stderr?.toString().trim()}`,
    );
  }
  return elapsed;
}

export function figures(all: readonly number[]): Figures {
  const { min, p50, runs } = summarize(all);
  return { min, median: p50, max: Math.max(...all), runs };
}
