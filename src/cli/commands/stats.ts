// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises';
import { type Root, rootFromEnvironment } from '../../base/root.ts';
import { containerDirectory, shortId } from '../../container/index.ts';
import { listContainers } from '../../core/list-containers.ts';
import { type KnownContainer, openContainer } from '../../core/open-container.ts';
import { cpuPercent, type Sample, sampleContainer } from '../../core/stats.ts';
import { defineCommand } from '../command.ts';
import { type Columns, formatList } from '../output/format.ts';
import type { Output } from '../output/index.ts';
import { formatBinarySize, formatSize } from '../output/units.ts';

interface StatsOptions {
  all?: true;
  format?: string;
  stream: boolean;
  trunc: boolean;
}

type Watched = Pick<KnownContainer, 'id' | 'name' | 'directory'>;

/** A row as `--format` sees it: Docker's field names, and what the VM costs the host. */
interface Shown {
  BlockIO: string;
  CPUPerc: string;
  Container: string;
  EgressDenied: string;
  HostCPUPerc: string;
  HostMem: string;
  ID: string;
  MemPerc: string;
  MemUsage: string;
  Name: string;
  NetIO: string;
  PIDs: string;
}

const INTERVAL_MS = 1000;
const CLEAR = '\x1b[H\x1b[2J';
const NOTHING = '--';

export const command = defineCommand<StatsOptions, void>({
  name: 'stats',
  configure: (command) =>
    command
      .description('Show what containers use, and what their VMs cost the host.')
      .argument('[container...]', 'names or IDs; by default all that run')
      .option('-a, --all', 'also those that do not run')
      .option('--format <format>', 'table, json, or a Go template')
      .option('--no-stream', 'show it once')
      .option('--no-trunc', 'show whole IDs')
      .addHelpText('after', HELP),
  async run(operands, options, output) {
    const root = rootFromEnvironment();
    let before = await measure(root, await watched(root, operands, options));
    do {
      await sleep(INTERVAL_MS);
      const now = await measure(root, await watched(root, operands, options));
      show(before, now, options, output);
      before = now;
    } while (options.stream);
  },
  print: () => undefined,
});

const HELP = `
CPU and memory are the container's own, as its guest counts them. HOST CPU and HOST MEM are what the whole VM takes of the host: the guest's
kernel, the devices and the emulation included. EGRESS DENIED, of containers with --egress: packets and bytes that the host has dropped.`;

async function watched(root: Root, operands: readonly string[], { all }: StatsOptions): Promise<Watched[]> {
  if (operands.length > 0) return await Promise.all(operands.map((text) => openContainer(root, text)));
  const listed = await listContainers(root, { all: all === true });
  return listed.map(({ config: { id, name } }) => ({ id, name, directory: containerDirectory(root, id) }));
}

type Measured = Map<string, { container: Watched; sample: Sample | undefined }>;

async function measure(root: Root, containers: readonly Watched[]): Promise<Measured> {
  const measured = containers.map(async (container) => {
    return [container.id, { container, sample: await sampleContainer(root, container) }] as const;
  });
  return new Map(await Promise.all(measured));
}

function show(before: Measured, now: Measured, options: StatsOptions, output: Output): void {
  const rows = [...now.values()].map(({ container, sample }) =>
    shown(container, before.get(container.id)?.sample, sample, options),
  );
  const drawn = options.stream && process.stdout.isTTY && options.format === undefined;
  const isRestricted = [...now.values()].some(({ sample }) => sample?.denied);
  const columns = isRestricted ? { ...COLUMNS, ...EGRESS_COLUMN } : COLUMNS;
  output.write((drawn ? CLEAR : '') + formatList(rows, columns, options.format));
}

const COLUMNS: Columns<Shown> = {
  'CONTAINER ID': 'ID',
  NAME: 'Name',
  'CPU %': 'CPUPerc',
  'MEM USAGE / LIMIT': 'MemUsage',
  'MEM %': 'MemPerc',
  'NET I/O': 'NetIO',
  'BLOCK I/O': 'BlockIO',
  PIDS: 'PIDs',
  'HOST CPU %': 'HostCPUPerc',
  'HOST MEM': 'HostMem',
};

/** Only where it can be anything but zero. */
const EGRESS_COLUMN: Columns<Shown> = {
  'EGRESS DENIED': 'EgressDenied',
};

function shown(
  { id, name }: Watched,
  before: Sample | undefined,
  now: Sample | undefined,
  { trunc }: StatsOptions,
): Shown {
  const identity = { Container: name, ID: trunc ? shortId(id) : id, Name: name };
  if (!now) {
    const nothing = {
      CPUPerc: NOTHING,
      MemPerc: NOTHING,
      PIDs: NOTHING,
      HostCPUPerc: NOTHING,
      HostMem: NOTHING,
    };
    const pairs = `${NOTHING} / ${NOTHING}`;
    return { ...identity, ...nothing, MemUsage: pairs, NetIO: pairs, BlockIO: pairs, EgressDenied: pairs };
  }
  const cpu = cpuPercent(before ?? now, now);
  const { guest } = now;
  // As Docker counts: files that could be read again are not what the container needs.
  const memory = Math.max(0, guest.memoryBytes - guest.cacheBytes);
  return {
    ...identity,
    CPUPerc: percent(cpu.guest),
    MemUsage: `${formatBinarySize(memory)} / ${formatBinarySize(guest.availableBytes)}`,
    MemPerc: percent(guest.availableBytes > 0 ? (100 * memory) / guest.availableBytes : 0),
    NetIO: `${formatSize(guest.netReceivedBytes)} / ${formatSize(guest.netSentBytes)}`,
    BlockIO: `${formatSize(guest.diskReadBytes)} / ${formatSize(guest.diskWrittenBytes)}`,
    PIDs: String(guest.pids),
    EgressDenied: now.denied
      ? `${now.denied.packets} / ${formatSize(now.denied.bytes)}`
      : `${NOTHING} / ${NOTHING}`,
    HostCPUPerc: percent(cpu.host),
    HostMem: formatBinarySize(now.host.memoryBytes),
  };
}

function percent(value: number): string {
  return `${value.toFixed(2)}%`;
}
