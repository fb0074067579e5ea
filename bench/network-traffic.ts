// SPDX-License-Identifier: Apache-2.0
// What a bridge carries: the latency of a request from the host to a web server in a container (nginx, a reply of 1 KiB), and TCP's
// throughput both ways, beside podman's bridge with the same image. The two containers run all the time and take turns. All of it in a network
// namespace of the bench's own.
//
//   bench/network-traffic.ts [--rounds 9]
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PODMAN_LIMITS } from '../src/bench/peers.ts';
import { figures, HRUN, PROJECT, report } from './harness.ts';
import { OwnHost } from './own-host.ts';
import { Podman } from './podman.ts';

const LAYOUT = join(PROJECT, 'build/workloads/oci');
const IMAGE = 'debian:workloads';
const TIMEOUT_MS = 600_000;
const REQUESTS = 300;
const BULK_MIB = 48;
const HOST_PORT = 8000;
/** podman's default network has that of hrun's. */
const SUBNET = '10.91.0.0/24';
/** Serves what is asked for, the large file from memory. */
const SERVER = `cd /var/www/html && head -c 1024 /dev/zero >page && head -c ${BULK_MIB}M /dev/zero >/dev/shm/bulk &&
  ln -s /dev/shm/bulk bulk && exec nginx -g 'daemon off;'`;

/** A container that serves. */
interface Served {
  name: string;
  address: string;
  /** of the host, as the container sees it */
  gateway: string;
  /** the command line of `exec` in it */
  exec: string[];
}

/** Figures of one container, one a round. */
interface Measured {
  /** milliseconds: the median of a round's requests, each over a connection of its own */
  request: number[];
  /** the same, all over one connection */
  keptRequest: number[];
  /** MiB of payload a second */
  fromContainer: number[];
  toContainer: number[];
}

const { values } = parseArgs({ options: { rounds: { type: 'string' } } });
const rounds = Number(values.rounds ?? 9);
const dir = mkdtempSync(join(tmpdir(), 'hrun-traffic-'));
const podman = new Podman(dir, { ownNetworks: true });
const host = new OwnHost(join(dir, 'hrun'), TIMEOUT_MS);
try {
  await host.ready();
  const containers = [await startOurs(), await startPodmans()];
  await serveFromHost(containers);
  const measured = containers.map((): Measured => {
    return { request: [], keptRequest: [], fromContainer: [], toContainer: [] };
  });
  for (let round = -1; round < rounds; round++)
    for (const [i, container] of containers.entries()) {
      const { request, keptRequest, fromContainer, toContainer } = await measureOnce(container);
      if (round < 0) continue;
      measured[i]!.request.push(request);
      measured[i]!.keptRequest.push(keptRequest);
      measured[i]!.fromContainer.push(fromContainer);
      measured[i]!.toContainer.push(toContainer);
    }
  tell(measured[0]!, measured[1]!);
} finally {
  await host.hrun('rm', '-f', 'traffic');
  await host.run(...podman.argv('rm', '-f', '-t', '0', 'traffic'));
  host.close();
  podman.reset();
  rmSync(dir, { recursive: true, force: true });
}

async function startOurs(): Promise<Served> {
  await host.must('load', '-i', LAYOUT);
  await host.must('network', 'create', '--subnet', SUBNET, 'own');
  await host.must('run', '-d', '--name', 'traffic', '--network', 'own', IMAGE, 'sh', '-c', SERVER);
  const { stdout } = await host.hrun('inspect', '-f', placeIn('own'), 'traffic');
  return await ready({ name: 'hrun', ...place(stdout), exec: [HRUN, 'exec', 'traffic'] });
}

async function startPodmans(): Promise<Served> {
  podman.load(LAYOUT, IMAGE);
  const options = ['-d', '--name', 'traffic', '--network', 'podman', ...PODMAN_LIMITS];
  await host.mustRun(...podman.argv('run', ...options, `bench/${IMAGE}`, 'sh', '-c', SERVER));
  const told = await host.mustRun(...podman.argv('inspect', '-f', placeIn('podman'), 'traffic'));
  return await ready({ name: 'podman', ...place(told), exec: podman.argv('exec', 'traffic') });
}

function placeIn(network: string): string {
  return `{{.NetworkSettings.Networks.${network}.IPAddress}} {{.NetworkSettings.Networks.${network}.Gateway}}`;
}

function place(told: string): { address: string; gateway: string } {
  const [address = '', gateway = ''] = told.trim().split(' ');
  return { address, gateway };
}

/** Waits until its server answers. */
async function ready(container: Served): Promise<Served> {
  const options = [
    '-s',
    '-f',
    '-o',
    '/dev/null',
    '--retry',
    '100',
    '--retry-delay',
    '1',
    '--retry-all-errors',
  ];
  await host.mustRun('curl', ...options, `http://${container.address}/page`);
  return container;
}

async function serveFromHost(containers: readonly Served[]): Promise<void> {
  const files = join(dir, 'files');
  mkdirSync(files);
  writeFileSync(join(files, 'bulk'), Buffer.alloc(BULK_MIB << 20));
  for (const { gateway } of containers)
    host.start('busybox', 'httpd', '-f', '-p', `${gateway}:${HOST_PORT}`, '-h', files);
}

async function measureOnce({ address, gateway, exec }: Served) {
  const download = [
    'curl',
    '-s',
    '-f',
    '--retry',
    '3',
    '--retry-connrefused',
    '-o',
    '/dev/null',
    '-w',
    '%{speed_download}',
  ];
  const speed = async (...command: string[]) => Number(await host.mustRun(...command)) / 2 ** 20;
  return {
    request: await requests(address),
    keptRequest: await requests(address, '-k'),
    fromContainer: await speed(...download, `http://${address}/bulk`),
    toContainer: await speed(...exec, ...download, `http://${gateway}:${HOST_PORT}/bulk`),
  };
}

/** Milliseconds, the median. */
async function requests(address: string, ...options: string[]): Promise<number> {
  const table = join(dir, 'percentiles');
  await host.mustRun('ab', '-q', '-n', String(REQUESTS), '-e', table, ...options, `http://${address}/page`);
  const median = /^50,([\d.]+)$/m.exec(readFileSync(table, 'utf8'));
  if (!median) throw new Error(`ab: no median in ${table}`);
  return Number(median[1]);
}

function tell(ours: Measured, podmans: Measured): void {
  const times = {
    'hrun, request': figures(ours.request),
    'podman, request': figures(podmans.request),
    'hrun, request over a kept connection': figures(ours.keptRequest),
    'podman, request over a kept connection': figures(podmans.keptRequest),
  };
  const mibPerSecond = {
    'hrun, from the container': figures(ours.fromContainer),
    'podman, from the container': figures(podmans.fromContainer),
    'hrun, to the container': figures(ours.toContainer),
    'podman, to the container': figures(podmans.toContainer),
  };
  for (const [what, { min, median, max }] of Object.entries(mibPerSecond))
    console.log(
      `${what.padEnd(44)} ${median.toFixed(0)} MiB/s (min ${min.toFixed(0)}, max ${max.toFixed(0)})`,
    );
  const ratio = (a: number[], b: number[]) => figures(a).median / figures(b).median;
  const ratios = {
    'latency of a request': ratio(ours.request, podmans.request),
    'latency over a kept connection': ratio(ours.keptRequest, podmans.keptRequest),
    'throughput from the container': ratio(ours.fromContainer, podmans.fromContainer),
    'throughput to the container': ratio(ours.toContainer, podmans.toContainer),
  };
  for (const [what, value] of Object.entries(ratios))
    console.log(`${what}, to podman's: ${value.toPrecision(3)}`);
  report('network-traffic', times, [], { mibPerSecond, ratios, hostLoad: loadavg() });
}
