// SPDX-License-Identifier: Apache-2.0
// The power is cut after every operation with which `commit` changes the images of the store; the container is another matter:
// it goes on running. In some of the states the same commit is made again, from the disk as the cut has left it.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { settingsPath } from '../../src/base/settings.ts';
import { hrunCommand, PowerCuts } from '../crash/power-cuts.ts';
import { tracingProblem } from '../crash/trace.ts';
import { FIXTURES, HRUN } from './hrun.ts';

const COMMIT = ['commit', '-c', 'ENV A=1', 'busy', 'made:1'];
/** Each boots a machine. */
const AGAIN_IN_EACH = 12;

const base = mkdtempSync(join(tmpdir(), 'hrun-commit-cut-'));
const cuts = new PowerCuts(base, 'containers');
const settings = { HRUN_ENGINE: 'qemu', HRUN_NETWORK: 'none', HRUN_TEMPLATES: 'off' };
const hrun = (...words: string[]) => execa(HRUN, words, { env: { ...settings, HRUN_ROOT: cuts.root } });

beforeAll(async () => {
  await hrun('load', '-i', FIXTURES);
  for (const name of ['debian:bookworm', 'debian:demo']) await hrun('rmi', name);
  const script = 'mkdir /new; echo one >/new/a; rm /etc/passwd; sync; exec sleep 10000';
  await hrun('run', '-d', '--name', 'busy', '--storage-opt', 'size=128m', 'busybox', 'sh', '-c', script);
  await hrun('exec', 'busy', 'sh', '-c', 'until test -e /new/a && ! test -e /etc/passwd; do :; done; sync');
});
afterAll(async () => {
  await hrun('rm', '-f', 'busy');
  rmSync(base, { recursive: true, force: true });
});

test('after a power cut the image that was committed is there, or nothing of it', {
  timeout: 1_800_000,
}, async (context) => {
  const problem = await tracingProblem();
  if (problem) return context.skip(`this host cannot trace processes: ${problem}`);
  let states = 0;
  const failures = await cuts.everywhere({
    words: COMMIT,
    dated: true,
    again: async (root) => (states++ % AGAIN_IN_EACH === 0 ? await commitAgain(root) : undefined),
  });
  expect(failures).toEqual([]);
  expect(cuts.states.size).toBeGreaterThan(30);
});

async function commitAgain(root: string) {
  const containers = join(cuts.root, 'containers');
  await execa('cp', ['-a', '--sparse=always', containers, root]);
  for (const id of readdirSync(containers).filter((name) => name.length === 64)) {
    const path = settingsPath(join(root, 'containers', id), 'vm.json');
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll(cuts.root, root)); // else it is the other's disk
  }
  const [program, ...words] = hrunCommand(COMMIT, true);
  const env = { ...settings, HRUN_ROOT: root };
  const { exitCode = -1, stdout, stderr } = await execa(program, words, { env, reject: false });
  rmSync(join(root, 'containers'), { recursive: true, force: true });
  return { exitCode, stdout, stderr };
}
