// SPDX-License-Identifier: Apache-2.0
// Containers that are started, stopped, removed, connected and disconnected at random, several commands at a time; afterwards nothing may
// be left of them: no tap, lease, record, rule, process. On a network namespace of its own.
//
//   bench/network-soak.ts [--seconds 600] [--containers 20] [--seed N]
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeHost } from '../src/bench/host.ts';
import { PROJECT } from './harness.ts';
import { OwnHost } from './own-host.ts';
import { processesOf } from './processes-of.ts';

const NETWORKS = ['alpha', 'beta', 'gamma'];
const WORKERS = 3;
/** of one command */
const TIMEOUT_MS = 120_000;
/** What a command may say when another was faster. */
const RACES =
  /no such container|is not running|already (?:exists|in use)|is not connected|is being (?:started|stopped)|did not answer|cannot be changed now|is already running|has just been|has ended|was killed|in use by|container .* ended/i;

const { values } = parseArgs({
  options: { seconds: { type: 'string' }, containers: { type: 'string' }, seed: { type: 'string' } },
});
const seconds = Number(values.seconds ?? 600);
const containers = Array.from({ length: Number(values.containers ?? 20) }, (_, n) => `c${n}`);
const seed = Number(values.seed ?? Date.now() % 100000);
const random = mulberry32(seed);

const dir = mkdtempSync(join(tmpdir(), 'hrun-soak-'));
const host = new OwnHost(dir, TIMEOUT_MS);
const counts = new Map<string, number>();
const refusals = new Map<string, number>();
const odd: string[] = [];

try {
  await host.ready();
  await host.must('load', '-i', join(PROJECT, 'build/fixtures/oci'));
  for (const network of NETWORKS) await host.must('network', 'create', network);
  const end = Date.now() + seconds * 1000;
  await Promise.all(Array.from({ length: WORKERS }, () => work(end)));
  await checkReachable();
  for (const container of containers) await host.hrun('rm', '-f', container);
  for (const network of NETWORKS) await host.must('network', 'rm', network);
  await host.must('network', 'ls');
  const left = await leftovers();
  const told = { counts: Object.fromEntries(counts), refusals: Object.fromEntries(refusals), odd, left };
  const text = JSON.stringify({ bench: 'network-soak', ...about(), seconds, ...told }, null, 2);
  console.log(text);
  writeFileSync(join(PROJECT, 'bench/results/network-soak.json'), `${text}\n`);
  process.exitCode = left.length + odd.length > 0 ? 1 : 0;
} finally {
  host.close();
  rmSync(dir, { recursive: true, force: true });
}

function about(): object {
  const host = { ...describeHost(), node: process.versions.node };
  return { date: new Date().toISOString(), host, containers: containers.length, seed };
}

async function work(until: number): Promise<void> {
  while (Date.now() < until) {
    const [container, network] = [pick(containers), pick(NETWORKS)];
    const other = pick(NETWORKS.filter((name) => name !== network));
    const run = [
      'run',
      '-d',
      '--name',
      container,
      '--network',
      network,
      ...(random() < 0.3 ? ['--network', other] : []),
    ];
    const command: string[] = pick([
      [...run, ...(random() < 0.3 ? ['--restart', 'always'] : []), 'busybox', 'sleep', '1000'],
      ['stop', '-t', '0', container],
      ['start', container],
      ['kill', container],
      ['rm', '-f', container],
      ...Array(3).fill(['network', 'connect', network, container]),
      ...Array(3).fill(['network', 'disconnect', network, container]),
    ]);
    const { code, stderr } = await host.hrun(...command);
    const what = command[0] === 'network' ? command[1]! : command[0]!;
    const outcome = code === 0 ? what : `${what} refused`;
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    if (code !== 0) note(stderr.trim().split('\n')[0]!);
    if (code !== 0 && !RACES.test(stderr)) odd.push(`${command.join(' ')}: ${stderr.trim()}`);
  }
}

/** What was said, without the names of containers and networks. */
function note(refusal: string): void {
  const text = refusal.replace(/\b(?:c\d+|alpha|beta|gamma|[0-9a-f]{12,64})\b/g, '…');
  refusals.set(text, (refusals.get(text) ?? 0) + 1);
}

/** What still runs can be reached at each address that it is said to have. */
async function checkReachable(): Promise<void> {
  const format = '{{.State.Running}}{{range .NetworkSettings.Networks}} {{.IPAddress}}{{end}}';
  for (const container of containers) {
    const { stdout } = await host.hrun('inspect', '-f', format, container);
    const [running, ...addresses] = stdout.trim().split(' ');
    for (const address of running === 'true' ? addresses : []) {
      const { code } = await host.run('busybox', 'ping', '-c', '1', '-W', '5', address);
      counts.set('address reached', (counts.get('address reached') ?? 0) + 1);
      if (code !== 0) odd.push(`${container} does not answer at ${address}`);
    }
  }
}

/** What names this store, or is an interface or a rule of the namespace. */
async function leftovers(): Promise<string[]> {
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const links = (await host.run('ip', '-o', 'link', 'show')).stdout
    .split('\n')
    .filter((line) => line && !line.includes(' lo:'));
  const bridge = (line: string) => /hr[0-9a-f]{6}-\d+:/.test(line);
  const routes = (await host.run('ip', 'route')).stdout
    .split('\n')
    .filter((line) => line && !/dev hr[0-9a-f]{6}-\d+ /.test(line));
  const files = readdirSync(join(dir, 'networks'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\/(?:leases|names|\.ports)$/.test(entry.parentPath))
    .map((entry) => join(entry.parentPath, entry.name));
  const elements = (await host.run('nft', 'list', 'ruleset')).stdout
    .split('\n')
    .filter((line) => line.includes('elements = { tcp'));
  return [...links.filter((line) => !bridge(line)), ...routes, ...files, ...elements, ...processesOf(dir)];
}

function pick<T>(from: readonly T[]): T {
  return from[Math.floor(random() * from.length)]!;
}

/** A small generator of numbers from 0 to 1: the same seed makes the same choices. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
