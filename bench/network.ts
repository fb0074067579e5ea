// SPDX-License-Identifier: Apache-2.0
// S14, S15: what a network and two published ports add to a container's start, beside what podman's own bridge adds to its. hrun starts from
// templates, with what one run prepares for the next (docs/head-start.md). All of it in a network namespace that the bench makes for itself.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PODMAN_LIMITS } from '../src/bench/peers.ts';
import { type Figures, HRUN, measure, PROJECT, report, type Subject } from './harness.ts';
import { isInOwnNetwork } from './own-namespace.ts';
import { Podman } from './podman.ts';

const IMAGE = 'busybox';
const LAYOUT = join(PROJECT, 'build/fixtures/oci');
const RUNS = Number(process.env.HRUN_BENCH_RUNS ?? 80);
/** milliseconds over --network none */
const MOST_WITH_NIC = 5;
const MOST_WITH_PORTS = 15;

if (isInOwnNetwork(import.meta.filename)) bench(mkdtempSync(join(tmpdir(), 'hrun-bench-network-')));

function bench(dir: string): void {
  const podman = new Podman(dir, { ownNetworks: true });
  try {
    const env = { ...process.env, HRUN_ROOT: join(dir, 'hrun'), HRUN_ENGINE: 'qemu' };
    execFileSync(HRUN, ['load', '-i', LAYOUT], { env, stdio: ['ignore', 'ignore', 'inherit'] });
    for (const network of ['none', 'bridge'])
      execFileSync(HRUN, ['template', 'create', '--network', network], { env, stdio: 'ignore' });
    podman.load(LAYOUT, IMAGE);
    const ours = (name: string, ...options: string[]): Subject => {
      return { name, argv: [HRUN, 'run', '--rm', ...options, IMAGE, 'true'], env };
    };
    const measured = measure(
      [
        ours('hrun, none', '--network', 'none'),
        ours('hrun, bridge', '--network', 'bridge'),
        ours('hrun, bridge, 2 ports', '--network', 'bridge', '-p', '8080:80', '-p', '5353:53/udp'),
        podmanSubject(podman, 'podman, none', '--network', 'none'),
        podmanSubject(podman, 'podman, bridge', '--network', 'podman'),
        podmanSubject(
          podman,
          'podman, bridge, 2 ports',
          '--network',
          'podman',
          '-p',
          '8080:80',
          '-p',
          '5353:53/udp',
        ),
      ],
      { runs: RUNS, warmup: 2 },
    );
    process.exitCode = report('network', measured, promises(measured), { unit: 'ms' }) ? 0 : 1;
  } finally {
    podman.reset();
    rmSync(dir, { recursive: true, force: true });
  }
}

function podmanSubject(podman: Podman, name: string, ...options: string[]): Subject {
  return { name, argv: podman.argv('run', '--rm', ...options, ...PODMAN_LIMITS, `bench/${IMAGE}`, 'true') };
}

function promises(measured: Record<string, Figures>) {
  const added = (name: string) => measured[name]!.median - measured[`${name.split(',')[0]}, none`]!.median;
  const podman = added('podman, bridge').toFixed(1);
  return [
    {
      id: 'S14',
      what: `ms that a network adds (podman: ${podman})`,
      ratio: added('hrun, bridge'),
      atMost: MOST_WITH_NIC,
    },
    {
      id: 'S15',
      what: `ms that a network with two ports adds (podman: ${added('podman, bridge, 2 ports').toFixed(1)})`,
      ratio: added('hrun, bridge, 2 ports'),
      atMost: MOST_WITH_PORTS,
    },
  ];
}
