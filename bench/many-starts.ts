// SPDX-License-Identifier: Apache-2.0
// S19 to S21: containers in numbers. A hundred started at once all do their work; 32 at once cost little more CPU time than one after
// the other; and thousands that come and go leave nothing: no process, mount, socket, control group, open file or file.
// CPU time is the host's: nothing else should run beside it. HRUN_BENCH_RUNS says how many come and go.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { PROJECT, report } from './harness.ts';
import { OwnHost } from './own-host.ts';
import { processesOf } from './processes-of.ts';

const RUNS = Number(process.env.HRUN_BENCH_RUNS ?? 2000);
const AT_ONCE = 100;
const COMPARED = 32;
const TIMEOUT_MS = 600_000;
/** Time that the kernel may take to end what was told to end. */
const SETTLE_MS = 2000;
/** of the whole host: other programs open files as well */
const OPEN_FILES_ALLOWED = 300;

const dir = mkdtempSync(join(tmpdir(), 'hrun-many-'));
const host = new OwnHost(dir, TIMEOUT_MS, { HRUN_NETWORK: 'none', HRUN_TEMPLATES: 'use' });
const failures: string[] = [];
try {
  await host.ready();
  await host.must('load', '-i', join(PROJECT, 'build/fixtures/oci'));
  await host.must('template', 'create');
  await atOnce(COMPARED); // whatever the first ones leave to be used again
  const before = await whatThereIs();
  const inARow = await cpuSeconds(() => oneAfterTheOther(COMPARED));
  const together = await cpuSeconds(() => atOnce(COMPARED));
  const rest = failures.length;
  const begin = Date.now();
  await atOnce(AT_ONCE);
  const seconds = { inARow, together, atOnce: (Date.now() - begin) / 1000 };
  const failedAtOnce = failures.length - rest;
  await oneAfterTheOther(RUNS);
  const left = leftOver(before, await whatThereIs());
  const promises = [
    { id: 'S19', what: `of ${AT_ONCE} started at once, those that failed`, ratio: failedAtOnce, atMost: 0 },
    { id: 'S20', what: `CPU time of ${COMPARED} at once / in a row`, ratio: together / inARow, atMost: 1.3 },
    {
      id: 'S21',
      what: `things left, or runs that failed, after ${RUNS} come and gone`,
      ratio: left.length + failures.length - failedAtOnce,
      atMost: 0,
    },
  ];
  const kept = report('many-starts', {}, promises, { seconds, left, failures, hostLoad: loadavg() });
  for (const what of [...left, ...failures]) console.log(what);
  process.exitCode = kept ? 0 : 1;
} finally {
  host.close();
  rmSync(dir, { recursive: true, force: true });
}

/** Half of them go by --rm, half by a `rm` of their own. */
async function oneAfterTheOther(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    if (i % 2 === 0) {
      await run();
    } else {
      note(await host.hrun('run', '--name', 'passing', 'busybox', 'true'));
      note(await host.hrun('rm', 'passing'));
    }
  }
}

async function atOnce(count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, run));
}

async function run(): Promise<void> {
  note(await host.hrun('run', '--rm', 'busybox', 'true'));
}

function note({ code, stderr }: { code: number; stderr: string }): void {
  if (code !== 0) failures.push(`exit code ${code}: ${stderr.trim()}`);
}

/** Seconds of CPU time that the whole host spends on it. */
async function cpuSeconds(work: () => Promise<void>): Promise<number> {
  const before = busySeconds();
  await work();
  return busySeconds() - before;
}

/** User, nice and system time of proc_stat(5), in its 100 ticks a second. */
function busySeconds(): number {
  const [user, nice, system] = readFileSync('/proc/stat', 'utf8').split(/\s+/).slice(1).map(Number);
  return (user! + nice! + system!) / 100;
}

interface Found {
  /** by kind, each by name */
  things: Record<string, string[]>;
  openFiles: number;
}

async function whatThereIs(): Promise<Found> {
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const things = {
    process: processesOf(dir),
    mount: lines('/proc/self/mountinfo'),
    socket: lines('/proc/net/unix').filter((line) => line.includes(dir)),
    'control group': controlGroups('/sys/fs/cgroup').filter(isLeft),
    file: filesOf(dir),
  };
  return { things, openFiles: Number(readFileSync('/proc/sys/fs/file-nr', 'utf8').split('\t')[0]) };
}

function leftOver(before: Found, after: Found): string[] {
  const more = after.openFiles - before.openFiles;
  const things = Object.entries(after.things).flatMap(([kind, all]) => {
    const known = new Set(before.things[kind]);
    return all.filter((each) => !known.has(each)).map((each) => `${kind}: ${each}`);
  });
  return more > OPEN_FILES_ALLOWED ? [...things, `${more} more open files on the host`] : things;
}

function lines(path: string): string[] {
  return readFileSync(path, 'utf8').trim().split('\n');
}

/** The journal of events and its lock are meant to stay, and of each file of a machine that is prepared for the next start, whatever its id, one. */
function filesOf(directory: string): string[] {
  const times = new Map<string, number>();
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  const lasting = names.filter((name) => !name.startsWith('events.'));
  return lasting.map((name) => {
    const nameless = name.replace(/^(head-start\/[0-9a-f]{64}\.)[0-9a-f]{64}/, '$1ID');
    const count = (times.get(nameless) ?? 0) + 1;
    times.set(nameless, count);
    return count === 1 ? nameless : `${nameless}, the ${count}th`;
  });
}

/** Those of containers that run, of other stores, are not. */
function isLeft(group: string): boolean {
  return group.includes('/hrun/') && readFileSync(join(group, 'cgroup.procs'), 'utf8') === '';
}

function controlGroups(parent: string): string[] {
  return readdirSync(parent)
    .map((name) => join(parent, name))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isDirectory())
    .flatMap((path) => [path, ...controlGroups(path)]);
}
