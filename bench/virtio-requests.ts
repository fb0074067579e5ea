// SPDX-License-Identifier: Apache-2.0
// S12: the host's CPU time for a request to virtio-blk and virtio-vsock, and for a packet of virtio-net, for our monitor and for QEMU (KVM) with the same
// bare-metal guest; for disks in QEMU's default mode and in its better one. What the guest does itself is measured by a run without the device, and subtracted. The machines take
// turns; of many short turns the lower quartile counts, for what disturbs a turn mostly adds to it. Nothing else should run: with threads that share a
// processor nobody has to be woken, which QEMU gains most by. Beside them runs a disk
// that does nothing: no monitor on this host's KVM can cost less. What sends frames from the host is a process of its own, and
// does not count. All of it in a network namespace of the bench's own.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { report } from './harness.ts';
import { isInOwnNetwork } from './own-namespace.ts';
import { BenchMachine, type Sample } from './virtio-requests/machines.ts';

const ROUNDS = Number(process.env.HRUN_BENCH_ROUNDS ?? 15);
const DISK_BYTES = 64 << 20;
const AT_MOST = 0.7;

const CASES = [
  { what: 'r', title: 'blk: read 4 KiB at random', count: 1000 },
  { what: 'R', title: 'blk: read 4 KiB at random, 16 in flight', count: 6400 },
  { what: 'w', title: 'blk: write 4 KiB at random', count: 1000 },
  { what: 'W', title: 'blk: write 4 KiB at random, 16 in flight', count: 6400 },
  { what: 's', title: 'blk: read 64 KiB in a row', count: 1000 },
  { what: 'S', title: 'blk: read 64 KiB in a row, 16 in flight', count: 3200 },
  { what: 'p', title: 'vsock: one byte there and back', count: 1000 },
  { what: 'u', title: 'vsock: 64 KiB to the host', count: 1000 },
  { what: 'd', title: 'vsock: 64 KiB from the host', count: 1000 },
  { what: 't', title: 'net: 1,514 bytes to the host', count: 1000 },
  { what: 'T', title: 'net: 1,514 bytes to the host, 16 in flight', count: 6400 },
  { what: 'f', title: 'net: 1,514 bytes from the host', count: 1000 },
  { what: 'F', title: 'net: 1,514 bytes from the host, 16 in flight', count: 6400 },
  { what: 'e', title: 'net: 1,514 bytes there and back', count: 1000 },
  { what: 'E', title: 'net: 1,514 bytes there and back, 16 in flight', count: 6400 },
];

/** Microseconds per request. */
interface Cost {
  cpu: number;
  guest: number;
  wall: number;
}

const directory = mkdtempSync(join(tmpdir(), 'hrun-bench-'));
if (isInOwnNetwork(import.meta.filename)) process.exitCode = (await bench()) ? 0 : 1;
rmSync(directory, { recursive: true });

async function bench(): Promise<boolean> {
  const disk = join(directory, 'disk');
  writeFileSync(disk, Buffer.alloc(DISK_BYTES, 'hrun'));
  await using hrun = await BenchMachine.ours(join(directory, 'hrun'), disk);
  await using threads = await BenchMachine.qemu(join(directory, 'qemu-threads'), disk, 'threads');
  await using uring = await BenchMachine.qemu(join(directory, 'qemu-uring'), disk, 'io_uring');
  await using floor = await BenchMachine.floor(join(directory, 'floor'));
  const us: Record<string, Record<string, Cost>> = {};
  const promises = [];
  const least: Record<string, number> = {};
  const netToQemu: Record<string, number> = {};
  for (const { what, title, count } of CASES) {
    const compared = [hrun, threads, uring];
    const isDisk = title.startsWith('blk');
    const costs = await measureCase(isDisk ? [...compared, floor] : compared, what, count);
    us[title] = costs;
    if (isDisk) least[title] = costs[floor.name]!.cpu / costs[uring.name]!.cpu;
    const ratios = peers(isDisk, costs[threads.name]!.cpu, costs[uring.name]!.cpu).map(({ to, cpu }) => {
      return { id: 'S12', what: `${title}${to}`, ratio: costs[hrun.name]!.cpu / cpu, atMost: AT_MOST };
    });
    if (title.startsWith('net')) netToQemu[title] = ratios[0]!.ratio;
    else promises.push(...ratios);
    console.log(`${title.padEnd(44)} ${describe(costs)}`);
  }
  for (const [title, ratio] of Object.entries(least))
    console.log(`${title.padEnd(44)} a disk that does nothing, to aio=io_uring: ${ratio.toFixed(2)}`);
  for (const [title, ratio] of Object.entries(netToQemu))
    console.log(`${title.padEnd(44)} to QEMU's: ${ratio.toFixed(2)}`);
  return report('virtio-requests', {}, promises, {
    us,
    least,
    netToQemu,
    vsockPeer: 'our device behind vhost-user',
    hostLoad: loadavg(),
  });
}

/** What ours is compared with. For what is no disk both are one machine measured twice; its vsock device is ours, for QEMU has none. */
function peers(isDisk: boolean, threads: number, uring: number): { to: string; cpu: number }[] {
  if (!isDisk) return [{ to: '', cpu: (threads + uring) / 2 }];
  return [
    { to: ', to aio=threads', cpu: threads },
    { to: ', to aio=io_uring', cpu: uring },
  ];
}

async function measureCase(machines: BenchMachine[], what: string, count: number) {
  const samples = machines.map(() => ({ device: [] as Sample[], alone: [] as Sample[] }));
  for (let round = -1; round < ROUNDS; round++) {
    for (const [i, machine] of machines.entries()) {
      const alone = await machine.run(what, count, true);
      const device = await machine.run(what, count);
      if (round < 0) continue;
      samples[i]!.alone.push(alone);
      samples[i]!.device.push(device);
    }
  }
  return Object.fromEntries(machines.map(({ name }, i) => [name, cost(samples[i]!)]));
}

function cost({ device, alone }: { device: Sample[]; alone: Sample[] }): Cost {
  const guest = lowerQuartile(alone.map(({ cpu }) => cpu));
  const cpu = lowerQuartile(device.map((sample) => sample.cpu)) - guest;
  return { cpu, guest, wall: lowerQuartile(device.map(({ wall }) => wall)) };
}

function lowerQuartile(all: number[]): number {
  return all.sort((a, b) => a - b)[all.length >> 2]!;
}

function describe(costs: Record<string, Cost>): string {
  const parts = Object.entries(costs).map(
    ([name, { cpu, wall }]) => `${name} ${cpu.toFixed(1)} µs (${wall.toFixed(0)} passed)`,
  );
  return parts.join('; ');
}
