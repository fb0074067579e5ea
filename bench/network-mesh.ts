// SPDX-License-Identifier: Apache-2.0
// Many containers that are started together on one network; then each, all at the same time, resolves the name of every other and reaches
// it. On a network namespace of its own.
//
//   bench/network-mesh.ts [--containers 50]
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { rootAt } from '../src/base/root.ts';
import { summarize } from '../src/bench/statistics.ts';
import { containerDirectory, listContainerIds, readState } from '../src/container/index.ts';
import { hostCost } from '../src/core/host-cost.ts';
import { type Figures, PROJECT, report } from './harness.ts';
import { OwnHost } from './own-host.ts';

const NETWORK = 'mesh';
const MEMORY = '64m';
const TIMEOUT_MS = 1_200_000;

const { values } = parseArgs({ options: { containers: { type: 'string' } } });
const names = Array.from({ length: Number(values.containers ?? 50) }, (_, index) => `node-${index}`);
const dir = mkdtempSync(join(tmpdir(), 'hrun-mesh-'));
const host = new OwnHost(dir, TIMEOUT_MS, { HRUN_TEMPLATES: 'use' });
const failures: string[] = [];
const missing: string[] = [];

try {
  await host.ready();
  await host.must('load', '-i', join(PROJECT, 'build/fixtures/oci'));
  await host.must('network', 'create', NETWORK);
  // Once alone, so that the template that the others are copies of is there.
  await host.must('run', '--rm', '-m', MEMORY, '--network', NETWORK, 'busybox', 'true');
  await host.must('template', 'create', '-m', MEMORY);
  const load = loadavg()[0]!;
  const began = performance.now();
  const started = await timed(start);
  const allUp = performance.now() - began;
  const memory = memoryOfAll();
  const reached = await timed(reachAll);
  const measured = {
    'run -d, all together': figures(started),
    'reach every other by name': figures(reached),
  };
  const pairs = names.length * names.length;
  const kept = report(
    'network-mesh',
    measured,
    [
      {
        id: 'mesh',
        what: `of ${names.length} containers started together, those that did not start`,
        ratio: failures.length,
        atMost: 0,
      },
      {
        id: 'mesh',
        what: `of ${pairs} pairs, those that did not reach each other by name`,
        ratio: missing.length,
        atMost: 0,
      },
    ],
    {
      unit: 'ms',
      containers: names.length,
      allStartedMs: Math.round(allUp),
      memoryBytes: memory,
      loadBefore: load,
      failures: failures.slice(0, 20),
      missing: missing.slice(0, 20),
    },
  );
  console.log(
    `all were up after ${(allUp / 1000).toFixed(1)} s; ${Math.round(memory / 2 ** 20)} MiB; load before: ${load.toFixed(1)}`,
  );
  for (const text of [...failures, ...missing].slice(0, 20)) console.log(text);
  process.exitCode = kept ? 0 : 1;
} finally {
  await host.hrun('rm', '-f', ...names);
  await host.hrun('network', 'rm', NETWORK);
  host.close();
  rmSync(dir, { recursive: true, force: true });
}

async function start(name: string): Promise<void> {
  const { code, stderr } = await host.hrun(
    'run',
    '-d',
    '--name',
    name,
    '-m',
    MEMORY,
    '--network',
    NETWORK,
    'busybox',
    'sleep',
    '100000',
  );
  if (code !== 0) failures.push(`${name}: ${stderr.trim()}`);
}

async function reachAll(name: string): Promise<void> {
  const script = `for name in ${names.join(' ')}; do ping -c 1 -W 60 $name >/dev/null 2>&1 && echo $name; done; true`;
  const { stdout, stderr } = await host.hrun('exec', name, 'sh', '-c', script);
  const answered = new Set(stdout.trim().split('\n'));
  for (const other of names) if (!answered.has(other)) missing.push(`${name} -> ${other} ${stderr.trim()}`);
}

/** Does it for all names at the same time; milliseconds of each. */
async function timed(action: (name: string) => Promise<void>): Promise<number[]> {
  return await Promise.all(
    names.map(async (name) => {
      const began = performance.now();
      await action(name);
      return performance.now() - began;
    }),
  );
}

function figures(times: number[]): Figures {
  const { min, p50, runs } = summarize(times);
  return { min, median: p50, max: Math.max(...times), runs };
}

/** Bytes of what runs the containers, shared pages by their share. */
function memoryOfAll(): number {
  const root = rootAt(dir);
  const states = listContainerIds(root).flatMap((id) => readState(containerDirectory(root, id)) ?? []);
  return states
    .filter(({ vmmPid }) => vmmPid > 0)
    .reduce((sum, state) => sum + hostCost(state).memoryBytes, 0);
}
