// SPDX-License-Identifier: Apache-2.0
// What a container's -m, --cpus, --cpuset-cpus, --memory-swap and --device-* are for its VM and for the host around it.
import { readFileSync, type Stats, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { errnoOf, HrunError } from '../base/errors.ts';
import type { ContainerConfig, DeviceRate, DeviceRates, HostOptions } from '../container/index.ts';
import { type DeviceLimits, hostMemoryMax, type VmResources } from '../vm/index.ts';

const DEFAULT_VCPUS = 1;
/** of the guest kernel */
const MOST_VCPUS = 32;
/** microseconds: the period of the control group's CPU quota, and the least quota that the kernel takes */
const CPU_PERIOD = 100_000;
const LEAST_CPU_QUOTA = 1000;
const BOOT_TIMEOUT_MS = 60_000;
/** Threads of monitor and machine besides the vCPUs: docs/monitor.md. */
const KVM_THREADS = 8;
const KVM_THREADS_PER_DISK = 4;
const QEMU_THREADS = 96;

/** Virtual CPUs: part of one still needs a whole one; with a CPU list alone as many as are in it. */
export function vcpusFor(cpus: number | undefined, cpusetCpus: string | undefined): number {
  const listed = cpusetCpus === undefined ? undefined : checkedCpuCount(cpusetCpus);
  if (cpus === undefined) return Math.min(listed ?? DEFAULT_VCPUS, MOST_VCPUS);
  const most = availableParallelism();
  if (cpus >= 0.01 && cpus <= most) return Math.ceil(cpus);
  throw new HrunError('USAGE', `--cpus ${cpus} is out of range`, {
    hint: `this host has ${most} CPUs: use 0.01 to ${most}`,
  });
}

/** CPUs that the VM is started with: those that it uses, and those that an update can give it. USAGE for more than the host has. */
export function machineCpus(used: number, maxCpus: number): number {
  const most = Math.min(availableParallelism(), MOST_VCPUS);
  if (maxCpus === 0 || (maxCpus >= used && maxCpus <= most)) return Math.max(used, maxCpus);
  throw new HrunError('USAGE', `--max-cpus ${maxCpus} is out of range`, {
    hint: maxCpus < used ? `use at least --cpus: ${used}` : `this host has ${most} CPUs`,
  });
}

/** How many of a VM's CPUs are on; undefined when all are. Some are left for an update to switch on. */
export function onlineCpus(used: number, machine: number): number | undefined {
  return used < machine ? used : undefined;
}

/** The share of a CPU that a guest has to boot with makes its start as much slower. */
export function bootTimeoutMs(cpus: number): number {
  return Math.ceil(BOOT_TIMEOUT_MS / (cpus > 0 ? Math.min(1, cpus) : 1));
}

/** Limits of the control group around a container's VM; USAGE for a path that is no block device. */
export function vmResources(
  { resources, host }: Pick<ContainerConfig, 'resources' | 'host'>,
  machine: { engine: 'kvm' | 'qemu'; disks: number },
): VmResources {
  const { memoryMiB, vcpus } = resources;
  const devices = deviceLimits(host.deviceRates);
  return {
    memoryMax: hostMemoryMax(machine.engine, memoryMiB),
    pidsMax: threads(machine, vcpus),
    ...(host.memorySwap > 0 && { swapMax: host.memorySwap - host.memory }),
    ...(host.cpus > 0 && { cpuMax: Math.max(LEAST_CPU_QUOTA, Math.round(host.cpus * CPU_PERIOD)) }),
    ...(host.cpusetCpus !== '' && { cpus: host.cpusetCpus }),
    ...(devices.length > 0 && { devices }),
  };
}

/** True when the user wants a limit that the size of the VM alone does not give. */
export function wantsHostLimits({ memorySwap, cpus, cpusetCpus, deviceRates }: HostOptions): boolean {
  const rates = Object.values(deviceRates).flat();
  return memorySwap > 0 || cpus > 0 || cpusetCpus !== '' || rates.length > 0;
}

function threads({ engine, disks }: { engine: 'kvm' | 'qemu'; disks: number }, vcpus: number): number {
  return vcpus + (engine === 'kvm' ? KVM_THREADS + KVM_THREADS_PER_DISK * disks : QEMU_THREADS);
}

function checkedCpuCount(list: string): number {
  const online = readFileSync('/sys/devices/system/cpu/online', 'utf8').trim();
  const available = cpusIn(online);
  const wanted = cpusIn(list);
  if (wanted.size > 0 && [...wanted].every((cpu) => available.has(cpu))) return wanted.size;
  throw new HrunError('USAGE', `--cpuset-cpus ${list}: this host has not all of these CPUs`, {
    hint: `it has ${online}`,
  });
}

/** cpuset(7), list format; the numbers have five digits at most. */
function cpusIn(list: string): Set<number> {
  const cpus = new Set<number>();
  for (const range of list.split(',')) {
    const [first, last] = range.split('-').map(Number);
    for (let cpu = first!; cpu <= (last ?? first!); cpu++) cpus.add(cpu);
  }
  return cpus;
}

/** All rates of one device together. */
function deviceLimits(rates: DeviceRates): DeviceLimits[] {
  const limits = new Map<string, DeviceLimits>();
  for (const [kind, list] of Object.entries(rates) as [keyof DeviceRates, DeviceRate[]][]) {
    for (const { path, rate } of list) {
      const device = deviceNumber(path);
      limits.set(device, { ...limits.get(device), device, [kind]: rate });
    }
  }
  return [...limits.values()];
}

/** "major:minor", from the kernel's encoding of both in one number (include/linux/kdev_t.h, new_encode_dev). */
function deviceNumber(path: string): string {
  const { rdev } = blockDevice(path);
  const major = (rdev >> 8) & 0xfff;
  const minor = (rdev & 0xff) | ((rdev >> 12) & 0xfff00);
  return `${major}:${minor}`;
}

function blockDevice(path: string): Stats {
  try {
    const found = statSync(path);
    if (found.isBlockDevice()) return found;
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
  }
  throw new HrunError('USAGE', `${path} is not a block device of this host`, { hint: 'see: lsblk' });
}
