// SPDX-License-Identifier: Apache-2.0
// S10, S11: commands on containers that are there, beside podman: an exec, and a list of a hundred.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HRUN, measure, PROJECT, report } from './harness.ts';
import { Podman } from './podman.ts';

const IMAGE = 'debian:bookworm';
const LAYOUT = join(PROJECT, 'build/fixtures/oci');
const LISTED = 100;
/** of them: so many run, so many have ended; the others were never started */
const RUNNING = 5;
const ENDED = 5;

const dir = mkdtempSync(join(tmpdir(), 'hrun-bench-daily-'));
const env = {
  ...process.env,
  HRUN_ROOT: join(dir, 'hrun'),
  HRUN_ENGINE: 'qemu',
  HRUN_NETWORK: 'none',
  HRUN_TEMPLATES: 'off',
};
const podman = new Podman(dir);
try {
  hrun('load', '-i', LAYOUT);
  podman.load(LAYOUT, IMAGE);
  makeContainers();
  const measured = measure(
    [
      { name: 'hrun exec C true', argv: [HRUN, 'exec', 'up0', 'true'], env },
      { name: 'podman exec C true', argv: podman.argv('exec', 'up0', 'true') },
      { name: `hrun ps -a (${LISTED})`, argv: [HRUN, 'ps', '-a'], env },
      { name: `podman ps -a (${LISTED})`, argv: podman.argv('ps', '-a') },
    ],
    { runs: 15, warmup: 2 },
  );
  const median = (name: string) => measured[name]!.median;
  const kept = report('daily', measured, [
    {
      id: 'S10',
      what: 'hrun exec / podman exec',
      ratio: median('hrun exec C true') / median('podman exec C true'),
      atMost: 1.3,
    },
    {
      id: 'S11',
      what: `hrun ps -a / podman ps -a, ${LISTED} containers`,
      ratio: median(`hrun ps -a (${LISTED})`) / median(`podman ps -a (${LISTED})`),
      atMost: 1.0,
    },
  ]);
  process.exitCode = kept ? 0 : 1;
} finally {
  removeContainers();
  podman.reset();
  rmSync(dir, { recursive: true, force: true });
}

function hrun(...args: string[]): string {
  return execFileSync(HRUN, args, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

/** The same on both sides. */
function makeContainers(): void {
  const each = (count: number, command: string, ...args: string[]) => {
    for (let n = 0; n < count; n++) {
      const named = args.map((arg) => arg.replace('#', String(n)));
      hrun(command, ...named.map((arg) => (arg === 'IMAGE' ? IMAGE : arg)));
      podman.run(podman.making(command, ...named.map((arg) => (arg === 'IMAGE' ? `bench/${IMAGE}` : arg))));
    }
  };
  each(RUNNING, 'run', '-d', '--name', 'up#', 'IMAGE', 'sleep', '100000');
  each(ENDED, 'run', '--name', 'down#', 'IMAGE', 'true');
  each(LISTED - RUNNING - ENDED, 'create', '--name', 'made#', 'IMAGE', 'true');
}

function removeContainers(): void {
  const ids = hrun('ps', '-aq').trim().split('\n').filter(Boolean);
  if (ids.length > 0) hrun('rm', '-f', ...ids);
}
