// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { errnoOf, hasCode } from '../base/errors.ts';
import { type ContainerState, readState } from '../container/index.ts';
import type { Used } from '../guest/index.ts';
import { askUsage } from './ask-agent.ts';
import type { KnownContainer } from './open-container.ts';

/** What a container uses in its VM, and what that costs the host. */
export interface Sample {
  /** of this measurement, CLOCK_MONOTONIC in seconds */
  time: number;
  guest: Used;
  /** seconds of CPU time of the VM and its monitor */
  hostCpuSeconds: number;
  /** bytes of host memory of the VM and its monitor, shared pages by their share (PSS) */
  hostMemoryBytes: number;
}

const CLOCK_TICKS = 100;

/** Measures a running container; undefined when it does not run (any more). */
export async function sampleContainer({
  directory,
}: Pick<KnownContainer, 'directory'>): Promise<Sample | undefined> {
  try {
    const guest = await askUsage(directory);
    const state = readState(directory);
    if (!state) return undefined;
    const pids = processesOf(state);
    return {
      time: performance.now() / 1000,
      guest,
      hostCpuSeconds: sum(pids.map(cpuSeconds)),
      hostMemoryBytes: sum(pids.map(memoryBytes)),
    };
  } catch (error) {
    if (hasCode(error, 'CONTAINER_STATE') || errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Keeper, jailed monitor, and QEMU where there is one: docs/monitor.md. */
function processesOf({ monitorPid, vmmPid }: ContainerState): number[] {
  const monitor = Number(/^PPid:\t(\d+)$/m.exec(readProc(vmmPid, 'status'))?.[1] ?? 0);
  return [...new Set([monitorPid, monitor, vmmPid])].filter((pid) => pid > 1);
}

/** Percent of one CPU that the guest, and the host for it, used between two samples. */
export function cpuPercent(before: Sample, after: Sample): { guest: number; host: number } {
  const seconds = after.time - before.time;
  if (seconds <= 0) return { guest: 0, host: 0 };
  const guest = (after.guest.cpuMicroseconds - before.guest.cpuMicroseconds) / 1e6;
  return {
    guest: (100 * guest) / seconds,
    host: (100 * (after.hostCpuSeconds - before.hostCpuSeconds)) / seconds,
  };
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
