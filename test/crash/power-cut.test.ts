// SPDX-License-Identifier: Apache-2.0
// The power is cut after every single operation of the commands that change the store, with all, some or none of what was
// not synced on the disk. What is found then is what was before the command or what is after it, never a mix; the same
// command goes through then; and once a command has said that it is done, what it did is there.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type BuiltImage, buildImage, makeTar } from '../fixtures/built-image.ts';
import { hrun, type Said } from '../fixtures/hrun.ts';
import { type MisbehavingRegistry, startMisbehavingRegistry } from '../fixtures/misbehaving-registry.ts';
import { TarBuilder } from '../fixtures/tar-builder.ts';
import { NOW, PowerCuts } from './power-cuts.ts';
import { tracingProblem } from './trace.ts';

/** Issue: at least so many different cuts in all commands together. */
const LEAST_CUTS = 1000;
/** Thousands of stores are written: not on a disk, if possible. */
const MEMORY = '/dev/shm';

let registry: MisbehavingRegistry;
let base: string;
let problem: string | undefined;
let cuts: PowerCuts;

const before = process.env.HRUN_ROOT;

beforeAll(async () => {
  problem = await tracingProblem();
  registry = await startMisbehavingRegistry();
  base = mkdtempSync(join(existsSync(MEMORY) ? MEMORY : tmpdir(), 'hrun-power-'));
  cuts = new PowerCuts(base);
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
    for (const words of commands) {
      const again = (root: string) => runAgain(words, root);
      failures.push(...(await cuts.everywhere({ words, dated: isDated(words), again })));
    }
    console.log(`power cut: ${cuts.states.size} different states in ${commands.length} commands`);
    expect(failures).toEqual([]);
    expect(cuts.states.size).toBeGreaterThanOrEqual(LEAST_CUTS);
  });
});

/** An image that is made has the time in it: the same command makes the same image only at the same time. */
function isDated([name]: string[]): boolean {
  return name === 'import';
}

async function runAgain(command: string[], root: string): Promise<Said> {
  process.env.HRUN_ROOT = root;
  if (isDated(command)) vi.useFakeTimers({ toFake: ['Date'], now: NOW });
  try {
    return await hrun(...command);
  } finally {
    vi.useRealTimers();
  }
}

function dockerArchive(image: BuiltImage, names: string[]): Buffer {
  const layers = Object.fromEntries([...image.blobs].slice(1).map(([digest, blob]) => [digest, blob]));
  const manifest = [{ Config: 'c', RepoTags: names, Layers: Object.keys(layers) }];
  return makeTar({ c: image.configBytes, ...layers, 'manifest.json': JSON.stringify(manifest) });
}
