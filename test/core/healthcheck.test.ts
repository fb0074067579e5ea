// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type ContainerConfig, CREATED, readHealth } from '../../src/container/index.ts';
import { describeHealthcheck, healthcheckOf, probeCommand, vmHealth } from '../../src/core/healthcheck.ts';

const UNSAID = { test: undefined, interval: 0, timeout: 0, startPeriod: 0, startInterval: 0, retries: 0 };
const IMAGE = { Test: ['CMD', 'check', '-q'], Interval: 5e9, Retries: 7 };

describe('a health check', () => {
  test("is the image's with what the user says, one by one", () => {
    expect(healthcheckOf(undefined, undefined)).toBeUndefined();
    expect(healthcheckOf(IMAGE, { ...UNSAID, interval: 1e9, timeout: 2e9 })).toEqual({
      ...{ test: ['CMD', 'check', '-q'], interval: 1e9, timeout: 2e9 },
      ...{ startPeriod: 0, startInterval: 0, retries: 7 },
    });
    expect(healthcheckOf(IMAGE, { ...UNSAID, test: ['CMD-SHELL', 'true'] })!.test).toEqual([
      'CMD-SHELL',
      'true',
    ]);
    expect(describeHealthcheck(healthcheckOf(IMAGE, 'none')!)).toEqual({ Test: ['NONE'] });
    expect(describeHealthcheck(healthcheckOf(IMAGE, undefined)!)).toEqual(IMAGE);
  });

  test('is probed by a command, by a line for the shell of the image, or not at all', () => {
    const command = (Test: string[] | null, shell?: string[]) =>
      probeCommand(healthcheckOf({ Test }, undefined), shell);
    expect(command(['CMD', 'a', 'b'])).toEqual(['a', 'b']);
    expect(command(['CMD-SHELL', 'a b'])).toEqual(['/bin/sh', '-c', 'a b']);
    expect(command(['CMD-SHELL', 'a b'], ['/bin/bash', '-xc'])).toEqual(['/bin/bash', '-xc', 'a b']);
    for (const none of [['NONE'], [], null, ['CMD'], ['nonsense', 'a']])
      expect(command(none)).toBeUndefined();
  });

  test("has Docker's defaults, and times that the monitor can keep", () => {
    const asked = (image: object) => vmHealth(healthcheckOf({ Test: ['CMD', 'a'], ...image }, undefined)!);
    expect(asked({})).toEqual({
      ...{ intervalMs: 30_000, timeoutMs: 30_000, startPeriodMs: 0, startIntervalMs: 5000 },
      retries: 3,
    });
    expect(asked({ Interval: Number.MAX_SAFE_INTEGER, Retries: 1e15 })).toMatchObject({
      intervalMs: 2 ** 31 - 1,
      retries: 2 ** 32 - 1,
    });
  });

  test('of an image with times that make no sense is refused', () => {
    const refused = (image: object) => () => healthcheckOf({ Test: ['CMD', 'a'], ...image }, undefined);
    expect(refused({ Interval: 999_999 })).toThrow('Interval in Healthcheck cannot be less than 1ms');
    expect(refused({ StartInterval: -1 })).toThrow('StartInterval in Healthcheck cannot be less than 1ms');
    expect(refused({ Retries: -1 })).toThrow('Retries in Healthcheck cannot be negative');
  });
});

describe('health.json', () => {
  const directory = mkdtempSync(join(tmpdir(), 'hrun-health-'));
  afterAll(() => rmSync(directory, { recursive: true }));
  const healthcheck = healthcheckOf({ Test: ['CMD', 'a'] }, undefined);
  const config = { healthcheck } as ContainerConfig;
  const read = (status: 'running' | 'exited' | 'created') =>
    readHealth(directory, config, { ...CREATED, status });
  const write = (content: unknown) => writeFileSync(join(directory, 'health.json'), JSON.stringify(content));
  const result = { start: 'a', end: 'b', exitCode: 0, output: '' };

  test('tells the health of a container that runs; one that does not is unhealthy', () => {
    write({ version: 1, status: 'healthy', failingStreak: 0, log: [result] });
    expect(read('running')).toEqual({ status: 'healthy', failingStreak: 0, log: [result] });
    expect(read('exited')).toEqual({ status: 'unhealthy', failingStreak: 0, log: [result] });
    expect(read('created')).toBeUndefined();
    expect(readHealth(directory, {} as ContainerConfig, { ...CREATED, status: 'running' })).toBeUndefined();
  });

  test('that is none says nothing', () => {
    const nothing = { status: 'starting', failingStreak: 0, log: [] };
    const wrong = [
      ...[null, 5, {}, { status: 'fine', failingStreak: 0, log: [] }],
      ...[
        { ...nothing, log: [5] },
        { ...nothing, log: [{ ...result, output: {} }] },
      ],
      { ...nothing, status: 'healthy', failingStreak: 'x' },
    ];
    for (const content of wrong) {
      write(content);
      expect(read('running')).toEqual(nothing);
    }
    rmSync(join(directory, 'health.json'));
    expect(read('running')).toEqual(nothing);
  });
});
