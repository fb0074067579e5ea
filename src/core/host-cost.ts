// SPDX-License-Identifier: Apache-2.0
// What the processes of a container use of the host.
import { readFileSync } from 'node:fs';
import { errnoOf } from '../base/errors.ts';
import type { ContainerState } from '../container/index.ts';

export interface HostCost {
  /** of CPU time since they were started */
  cpuSeconds: number;
  /** of memory, pages that they share with others by their share (PSS) */
  memoryBytes: number;
}

const CLOCK_TICKS = 100;

/** What a container's VM and monitor use now. */
export function hostCost(state: ContainerState): HostCost {
  return costOf(processesOf(state));
}

/** What processes use now; none of one that has ended. */
export function costOf(pids: readonly number[]): HostCost {
  return { cpuSeconds: sum(pids.map(cpuSeconds)), memoryBytes: sum(pids.map(memoryBytes)) };
}

/** Keeper, jailed monitor, and QEMU where there is one: docs/monitor.md. */
function processesOf({ monitorPid, vmmPid }: ContainerState): number[] {
  const monitor = Number(/^PPid:\t(\d+)$/m.exec(readProc(vmmPid, 'status'))?.[1] ?? 0);
  return [...new Set([monitorPid, monitor, vmmPid])].filter((pid) => pid > 1);
}

/** proc(5), /proc/pid/stat: utime and stime are the 14th and 15th field; the name may hold blanks. */
function cpuSeconds(pid: number): number {
  const fields = readProc(pid, 'stat')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / CLOCK_TICKS;
}

/** Its share of the memory that it has mapped; all of it where a jailed process does not let its user look closer. */
function memoryBytes(pid: number): number {
  const kib =
    /^Pss:\s+(\d+) kB/m.exec(readProc(pid, 'smaps_rollup')) ??
    /^VmRSS:\s+(\d+) kB/m.exec(readProc(pid, 'status'));
  return 1024 * Number(kib?.[1] ?? 0);
}

/** Empty when the process is gone, or another user's. */
function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES'].includes(errnoOf(error) ?? '')) return '';
    throw error;
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
