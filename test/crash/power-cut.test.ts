// SPDX-License-Identifier: Apache-2.0
// The power is cut after every single operation of the commands that change the store, with all, some or none of what was
// not synced on the disk. What is found then is what was before the command or what is after it, never a mix; the same
// command goes through then; and once a command has said that it is done, what it did is there.
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { rootAt } from '../../src/base/root.ts';
import { type BuiltImage, buildImage, makeTar } from '../fixtures/built-image.ts';
import { hrun, type Said } from '../fixtures/hrun.ts';
import { type MisbehavingRegistry, startMisbehavingRegistry } from '../fixtures/misbehaving-registry.ts';
import { TarBuilder } from '../fixtures/tar-builder.ts';
import { type CrashState, crashStates, wholeState } from './crash-states.ts';
import { readDisk, writeState } from './on-disk.ts';
import { traceProgram, tracingProblem } from './trace.ts';
import { type View, viewStore } from './view.ts';

/** Issue: at least so many different cuts in all commands together. */
const LEAST_CUTS = 1000;
/** Thousands of stores are written: not on a disk, if possible. */
const MEMORY = '/dev/shm';
const STORE = 'data/store';
const NOW = Date.parse('2024-08-01T00:00:00Z');
/** for a process of its own */
const FIXED_CLOCK = `data:text/javascript,${encodeURIComponent(
  `globalThis.Date = class extends Date { constructor(...a) { a.length > 0 ? super(...a) : super(${NOW}); } static now() { return ${NOW}; } };`,
)}`;
const CLI = join(import.meta.dirname, '../../src/cli/main.ts');

let registry: MisbehavingRegistry;
let base: string;
let problem: string | undefined;
/** hashes of all states that were looked at */
const cuts = new Set<string>();

const before = process.env.HRUN_ROOT;

beforeAll(async () => {
  problem = await tracingProblem();
  registry = await startMisbehavingRegistry();
  base = mkdtempSync(join(existsSync(MEMORY) ? MEMORY : tmpdir(), 'hrun-power-'));
  mkdirSync(join(base, 'run'));
});

afterAll(async () => {
  if (before === undefined) delete process.env.HRUN_ROOT;
  else process.env.HRUN_ROOT = before;
  rmSync(base, { recursive: true, force: true });
  await registry[Symbol.asyncDispose]();
});

const bottom = new TarBuilder().directory('tmp', { mode: 0o1777 }).file('etc/os', 'ID=a').build();
const middle = makeTar({ 'tmp/file': 'a directory that this layer does not describe' });
const first = buildImage({ tars: [bottom, middle] });
const second = buildImage({
  tars: [bottom, makeTar({ 'usr/bin/x': 'x'.repeat(9000) })],
  config: { created: '2024-06-01T00:00:00Z' },
});
const fourth = buildImage({
  tars: [middle, bottom, makeTar({ 'opt/z': 'z' }), makeTar({ 'opt/y': 'y' }), makeTar({ 'opt/x': 'x' })],
  config: { created: '2024-07-01T00:00:00Z' },
});
const third = buildImage({ tars: [makeTar({ 'srv/data': 'y'.repeat(5000) }), middle] });

const DISK = ['--storage-opt', 'size=128m', '--engine', 'qemu'];

describe('after a power cut', () => {
  test('the store is what it was before the command or after it', { timeout: 600_000 }, async (context) => {
    if (problem) return context.skip(`this host cannot trace processes: ${problem}`);
    registry.add('first', first);
    registry.add('second', second);
    registry.add('third', fourth);
    const name = (tag: string) => `${registry.address}/app:${tag}`;
    const archive = join(base, 'third.tar');
    writeFileSync(archive, dockerArchive(third, ['third:1']));
    const plain = join(base, 'plain.tar');
    writeFileSync(plain, makeTar({ 'bin/own': 'o'.repeat(7000), 'etc/own': 'p' }));
    const commands = [
      ['pull', name('first')],
      ['pull', name('second')],
      ['load', '-i', archive],
      ['tag', 'third:1', 'other/name:2'],
      ['pull', name('third')],
      ['create', '--name', 'warm', ...DISK, name('second'), 'x'],
      ['create', '--name', 'web', ...DISK, name('first'), 'x'],
      ['rename', 'web', 'db'],
      ['rm', 'db'],
      ['rmi', 'other/name:2'],
      ['rmi', name('first')],
      ['create', '--name', 'late', ...DISK, 'third:1', 'x'],
      ['rm', 'warm'],
      ['rm', 'late'],
      ['rmi', 'third:1'],
      ['rmi', name('second')],
      ['image', 'prune', '-a', '-f'],
      ['import', plain, 'own:1'],
      ['import', '--change', 'ENV A=1', plain, 'own:1'],
      ['rmi', 'own:1'],
    ];
    const failures: string[] = [];
    for (const command of commands) failures.push(...(await cutEverywhere(command)));
    console.log(`power cut: ${cuts.size} different states in ${commands.length} commands`);
    expect(failures).toEqual([]);
    expect(cuts.size).toBeGreaterThanOrEqual(LEAST_CUTS);
  });
});

/** Runs the command for good in the store and on the side in every state that a cut may leave. Returns what was wrong. */
async function cutEverywhere(command: string[]): Promise<string[]> {
  const started = readDisk(join(base, 'run'));
  const old = wholeState(started);
  const { exitCode, stderr, operations } = await traceProgram(
    join(base, 'run'),
    join(base, 'log'),
    [process.execPath, ...(isDated(command) ? ['--import', FIXED_CLOCK] : []), CLI, ...command],
    {
      ...process.env,
      HRUN_ROOT: join(base, 'run', STORE),
      HRUN_NETWORK: 'none',
      HRUN_TEMPLATES: 'off',
      UV_USE_IO_URING: '0',
    },
  );
  expect(exitCode, `${command.join(' ')}: ${stderr}`).toBe(0);
  const complete = wholeState(readDisk(join(base, 'run')));
  const failures: string[] = [];
  const right = [old, complete];
  const [was, is] = [await viewIn(old, right), await viewIn(complete, right)];
  for (const state of crashStates(started, operations)) {
    cuts.add(state.hash);
    const done = state.after === operations.length;
    const wrong = await checkState(state, right, done ? [is] : [was, is], is, command);
    if (wrong) failures.push(`${command.slice(0, 2).join(' ')} ${state.story}: ${wrong}`);
  }
  expect(wholeState(started).hash, 'the model does what the kernel did').toBe(complete.hash);
  return failures;
}

async function checkState(
  state: CrashState,
  right: CrashState[],
  allowed: View[],
  goal: View,
  command: string[],
): Promise<string | undefined> {
  return await inStore(state, async (dir) => {
    try {
      const found = await viewStore(rootAt(dir), state, right, STORE);
      if (!allowed.some((view) => same(view, found))) return `found ${JSON.stringify(found)}`;
      const again = await runAgain(command);
      if (!same(found, goal) && again.exitCode !== 0) return `the same again failed: ${again.stderr}`;
      const after = await viewStore(rootAt(dir), state, right, STORE);
      return same(after, goal) ? undefined : `the same again left ${JSON.stringify(after)}: ${again.stderr}`;
    } catch (error) {
      return String(error);
    }
  });
}

/** An image that is made has the time in it: the same command makes the same image only at the same time. */
function isDated([name]: string[]): boolean {
  return name === 'import';
}

async function runAgain(command: string[]): Promise<Said> {
  if (isDated(command)) vi.useFakeTimers({ toFake: ['Date'], now: NOW });
  try {
    return await hrun(...command);
  } finally {
    vi.useRealTimers();
  }
}

async function viewIn(state: CrashState, right: CrashState[]): Promise<View> {
  return await inStore(state, (dir) => viewStore(rootAt(dir), state, right, STORE));
}

async function inStore<T>(state: CrashState, work: (dir: string) => Promise<T>): Promise<T> {
  const place = mkdtempSync(join(base, 'cut-'));
  try {
    writeState(state, place);
    process.env.HRUN_ROOT = join(place, STORE);
    return await work(process.env.HRUN_ROOT);
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

function same(a: View, b: View): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function dockerArchive(image: BuiltImage, names: string[]): Buffer {
  const layers = Object.fromEntries([...image.blobs].slice(1).map(([digest, blob]) => [digest, blob]));
  const manifest = [{ Config: 'c', RepoTags: names, Layers: Object.keys(layers) }];
  return makeTar({ c: image.configBytes, ...layers, 'manifest.json': JSON.stringify(manifest) });
}
