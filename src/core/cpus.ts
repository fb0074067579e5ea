// SPDX-License-Identifier: Apache-2.0
// What --cpus, --cpu-quota, --cpu-period and --cpuset-cpus are for a VM: virtual CPUs, and CPU time of the host.
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { HrunError } from '../base/errors.ts';
import type { CpuTime } from '../container/index.ts';

const DEFAULT_VCPUS = 1;
/** of the guest kernel */
const MOST_VCPUS = 32;
/** microseconds: the period of the control group's CPU quota unless said otherwise, and what the kernel takes */
const CPU_PERIOD = 100_000;
const LEAST_CPU_PERIOD = 1000;
const MOST_CPU_PERIOD = 1_000_000;
const LEAST_CPU_QUOTA = 1000;
const BOOT_TIMEOUT_MS = 60_000;

/** As a user asks for them; 0, empty and undefined leave it to the default. */
export interface CpuRequest {
  cpus?: number | undefined;
  cpuQuota?: number | undefined;
  cpuPeriod?: number | undefined;
  /** as cpuset(7) lists them */
  cpusetCpus?: string | undefined;
}

/**
 * Virtual CPUs: part of one still needs a whole one, and more CPU time than the host has CPUs needs no more than these; with a CPU
 * list alone as many as are in it. USAGE for options that cannot be, or not together.
 */
export function vcpusFor(request: CpuRequest): number {
  checkCpuTime(request);
  const listed = request.cpusetCpus ? checkedCpuCount(request.cpusetCpus) : undefined;
  const wanted = cpusWanted(request);
  const vcpus = wanted > 0 ? Math.min(Math.ceil(wanted), availableParallelism()) : (listed ?? DEFAULT_VCPUS);
  return Math.min(vcpus, MOST_VCPUS);
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
export function bootTimeoutMs(request: CpuRequest): number {
  return Math.ceil(BOOT_TIMEOUT_MS / Math.min(1, cpusWanted(request) || 1));
}

/** The quota of CPU time in each period, microseconds, for the control group; undefined for any. */
export function cpuBandwidth({
  cpus,
  cpuQuota,
  cpuPeriod,
}: CpuTime): { quota: number; period: number } | undefined {
  if (cpus > 0)
    return { quota: Math.max(LEAST_CPU_QUOTA, Math.round(cpus * CPU_PERIOD)), period: CPU_PERIOD };
  return cpuQuota > 0 ? { quota: cpuQuota, period: cpuPeriod || CPU_PERIOD } : undefined;
}

/** 0 when no CPU time was asked for. */
function cpusWanted({ cpus, cpuQuota, cpuPeriod }: CpuRequest): number {
  if (cpus) return cpus;
  return cpuQuota && cpuQuota > 0 ? cpuQuota / (cpuPeriod || CPU_PERIOD) : 0;
}

function checkCpuTime({ cpus, cpuQuota = 0, cpuPeriod = 0 }: CpuRequest): void {
  const most = availableParallelism();
  if (cpus !== undefined && !(cpus >= 0.01 && cpus <= most)) {
    throw new HrunError('USAGE', `--cpus ${cpus} is out of range`, {
      hint: `this host has ${most} CPUs: use 0.01 to ${most}`,
    });
  }
  if (cpus !== undefined && (cpuQuota > 0 || cpuPeriod > 0)) {
    throw new HrunError(
      'USAGE',
      `--cpus and --cpu-${cpuQuota > 0 ? 'quota' : 'period'} contradict each other`,
      {
        hint: 'leave one out',
      },
    );
  }
  if (cpuPeriod !== 0 && (cpuPeriod < LEAST_CPU_PERIOD || cpuPeriod > MOST_CPU_PERIOD)) {
    throw new HrunError('USAGE', `--cpu-period ${cpuPeriod} is out of range`, {
      hint: `use ${LEAST_CPU_PERIOD} to ${MOST_CPU_PERIOD} microseconds`,
    });
  }
  if (cpuQuota > 0 && cpuQuota < LEAST_CPU_QUOTA) {
    throw new HrunError('USAGE', `--cpu-quota ${cpuQuota} is out of range`, {
      hint: `use at least ${LEAST_CPU_QUOTA} microseconds, or -1 for any`,
    });
  }
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
