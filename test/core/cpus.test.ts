// SPDX-License-Identifier: Apache-2.0
import { availableParallelism } from 'node:os';
import { describe, expect, test } from 'vitest';
import { bootTimeoutMs, machineCpus, vcpusFor } from '../../src/core/cpus.ts';

const CPUS = availableParallelism();

describe('virtual CPUs', () => {
  test('are the CPUs asked for, rounded up, else those of the list, else one', () => {
    expect(vcpusFor({})).toBe(1);
    expect(vcpusFor({ cpus: 0.5 })).toBe(1);
    expect(vcpusFor({ cpus: CPUS })).toBe(CPUS);
    expect(vcpusFor({ cpusetCpus: '0' })).toBe(1);
    expect(vcpusFor({ cpus: 0.5, cpusetCpus: `0-${CPUS - 1}` })).toBe(1);
  });

  test('are those of a quota, but never more than the host has', () => {
    expect(vcpusFor({ cpuQuota: 5000, cpuPeriod: 20_000 })).toBe(1);
    expect(vcpusFor({ cpuQuota: 5000, cpuPeriod: 20_000, cpusetCpus: `0-${CPUS - 1}` })).toBe(1);
    expect(vcpusFor({ cpuQuota: CPUS * 100_000 - 1 })).toBe(CPUS);
    expect(vcpusFor({ cpuQuota: CPUS * 200_000 })).toBe(CPUS);
    expect(vcpusFor({ cpuQuota: -1, cpuPeriod: 20_000 })).toBe(1);
  });

  test('are refused where the host has not so many', () => {
    expect(() => vcpusFor({ cpus: CPUS + 1 })).toThrow('is out of range');
    expect(() => vcpusFor({ cpus: 0 })).toThrow('is out of range');
    expect(() => vcpusFor({ cpusetCpus: '0,4095' })).toThrow('this host has not all of these CPUs');
    expect(() => vcpusFor({ cpusetCpus: '3-1' })).toThrow('this host has not all of these CPUs');
  });

  test('are refused for CPU time in two ways, and for what the kernel does not take', () => {
    expect(() => vcpusFor({ cpus: 1, cpuQuota: 5000 })).toThrow(
      '--cpus and --cpu-quota contradict each other',
    );
    expect(() => vcpusFor({ cpus: 1, cpuPeriod: 5000 })).toThrow(
      '--cpus and --cpu-period contradict each other',
    );
    expect(() => vcpusFor({ cpuQuota: 999 })).toThrow('--cpu-quota 999 is out of range');
    expect(() => vcpusFor({ cpuPeriod: 999 })).toThrow('--cpu-period 999 is out of range');
    expect(() => vcpusFor({ cpuPeriod: 1_000_001 })).toThrow('--cpu-period 1000001 is out of range');
    expect(() => vcpusFor({ cpuPeriod: -1 })).toThrow('--cpu-period -1 is out of range');
  });

  test('may be more than are used, so that an update finds some, but not more than the host has', () => {
    expect(machineCpus(1, 0)).toBe(1);
    expect(machineCpus(1, CPUS)).toBe(CPUS);
    expect(() => machineCpus(1, CPUS + 1)).toThrow('is out of range');
    expect(() => machineCpus(2, 1)).toThrow('is out of range');
  });
});

test('a guest with a part of a CPU has as much longer to boot', () => {
  expect(bootTimeoutMs({})).toBe(60_000);
  expect(bootTimeoutMs({ cpus: 2 })).toBe(60_000);
  expect(bootTimeoutMs({ cpus: 0.25 })).toBe(240_000);
  expect(bootTimeoutMs({ cpuQuota: 5000, cpuPeriod: 20_000 })).toBe(240_000);
});
