// SPDX-License-Identifier: Apache-2.0
// How long `run --rm IMAGE COMMAND` takes, from execve of the command to its exit, for each subject in turn.
import { mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { HrunError } from '../base/errors.ts';
import { installDir, type Root } from '../base/root.ts';
import { BenchFailure } from './failure.ts';
import { describeHost, type Host } from './host.ts';
import { hrunSubjects, pooledSubject } from './hrun-subjects.ts';
import { type PeerImage, peerSubjects, releasePeers } from './peers.ts';
import { type Ratio, ratioOfMedians, type Summary, summarize } from './statistics.ts';
import { type Subject, type Subjects, timedRun } from './subject.ts';

export interface StartupOptions {
  image: string;
  command: readonly string[];
  /** of each subject, that count */
  runs: number;
  /** of each subject, that do not */
  warmups: number;
  peers: readonly string[];
  /** the subject that the others are compared with; the first peer that is there unless it is named */
  baseline: string | undefined;
}

/** One subject's result; milliseconds. */
export interface StartupRow extends Summary {
  name: string;
  times: number[];
  /** to the baseline; undefined of the baseline itself */
  ratio: Ratio | undefined;
  /** stages of hrun's own start, each as the time since the one before: medians */
  stages: { label: string; ms: number }[];
}

export interface StartupResult {
  date: string;
  host: Host;
  image: string;
  command: string;
  events: string;
  baseline: string;
  rows: StartupRow[];
  absent: string[];
}

const TRACED_RUNS = 5;
const EVENTS = 'execve of the command to its exit';

/** Measures; `progress` hears of each round that is over. BENCH_FAILED when a subject fails on the way. */
export async function measureStartup(
  root: Root,
  options: StartupOptions,
  progress: (done: number, all: number) => void,
): Promise<StartupResult> {
  const dir = mkdtempSync(join(tmpdir(), 'hrun-bench-startup-'));
  try {
    const { subjects, absent, baseline } = await findSubjects(root, options, dir);
    const times = await inTurn(subjects, options, progress);
    const rows: StartupRow[] = [];
    for (const subject of subjects) rows.push(await row(subject, times, baseline, dir));
    return {
      ...{ date: new Date().toISOString(), host: describeHost() },
      ...{ image: options.image, command: options.command.join(' '), events: EVENTS },
      ...{ baseline, rows, absent },
    };
  } finally {
    await releasePeers(dir, options.peers);
    await rm(dir, { recursive: true, force: true });
  }
}

/** What is measured on this host, and the name of the one that the others are compared with. */
async function findSubjects(
  root: Root,
  { image, command, peers: names, baseline: asked }: StartupOptions,
  dir: string,
): Promise<Subjects & { baseline: string }> {
  const own = await hrunSubjects(root, image, command);
  own.subjects.push(pooledSubject(root, image, command));
  const peers = await peerSubjects(names, dir, await unpack(root, image, dir), command);
  const subjects = [...own.subjects, ...peers.subjects];
  const baseline = asked ?? (peers.subjects[0] ?? own.subjects[0]!).name;
  if (!subjects.some(({ name }) => name === baseline)) {
    throw new HrunError('USAGE', `the baseline ${baseline} is not among what is measured`, {
      hint: subjects.map(({ name }) => JSON.stringify(name)).join(', '),
    });
  }
  return { subjects, absent: [...own.absent, ...peers.absent], baseline };
}

/** Rounds of one run each: a host whose speed drifts slows all of them alike. */
async function inTurn(
  subjects: readonly Subject[],
  { runs, warmups }: StartupOptions,
  progress: (done: number, all: number) => void,
): Promise<Map<string, number[]>> {
  const times = new Map(subjects.map(({ name }) => [name, [] as number[]]));
  for (let round = -warmups; round < runs; round++) {
    for (const subject of subjects) {
      const ms = await runOnce(subject);
      if (round >= 0) times.get(subject.name)!.push(ms);
    }
    progress(round + 1 + warmups, runs + warmups);
  }
  return times;
}

/** Milliseconds. */
async function runOnce(subject: Subject, more: NodeJS.ProcessEnv = {}): Promise<number> {
  await subject.around?.before();
  const { ms, failed, stderr } = await timedRun(subject, more);
  await subject.around?.after();
  if (failed) throw new BenchFailure(subject.name, stderr.trim().split('\n').at(-1) ?? '', subject.argv);
  return ms;
}

async function row(
  subject: Subject,
  times: Map<string, number[]>,
  baseline: string,
  dir: string,
): Promise<StartupRow> {
  const own = times.get(subject.name)!;
  return {
    name: subject.name,
    ...summarize(own),
    times: own,
    ratio: subject.name === baseline ? undefined : ratioOfMedians(own, times.get(baseline)!),
    stages: subject.traced ? await stagesOf(subject, dir) : [],
  };
}

/** Runs of their own: a trace costs a little. */
async function stagesOf(subject: Subject, dir: string): Promise<StartupRow['stages']> {
  const file = join(dir, 'trace.json');
  const spans = new Map<string, number[]>();
  for (let run = 0; run < TRACED_RUNS; run++) {
    await runOnce(subject, { HRUN_TRACE: file });
    const { traceEvents } = JSON.parse(readFileSync(file, 'utf8')) as {
      traceEvents: { name: string; dur: number }[];
    };
    for (const { name, dur } of traceEvents) spans.set(name, [...(spans.get(name) ?? []), dur / 1000]);
  }
  return [...spans].map(([label, all]) => ({ label, ms: summarize(all).p50 }));
}

/** The image as the peers take it: an archive, and its unpacked root. */
async function unpack(root: Root, image: string, dir: string): Promise<PeerImage> {
  const hrun = join(installDir(), 'bin/hrun');
  const env = { ...process.env, HRUN_ROOT: root.dir, HRUN_NETWORK: 'none', HRUN_TEMPLATES: 'off' };
  const archive = join(dir, 'image.tar');
  const name = 'localhost/hrun-bench:startup';
  const rootfs = join(dir, 'rootfs');
  mkdirSync(rootfs);
  await execa(hrun, ['tag', image, name], { env });
  try {
    await execa(hrun, ['save', '-o', archive, name], { env });
  } finally {
    await execa(hrun, ['rmi', name], { env, reject: false });
  }
  const { stdout: id } = await execa(hrun, ['create', image, 'true'], { env });
  try {
    await execa('sh', ['-c', '"$0" export "$1" | tar -xf - -C "$2"', hrun, id, rootfs], { env });
  } finally {
    await execa(hrun, ['rm', id], { env, reject: false });
  }
  return { archive, name, rootfs };
}
