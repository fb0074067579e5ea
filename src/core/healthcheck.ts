// SPDX-License-Identifier: Apache-2.0
// The probe of a container: what its image and its user say together, and what its monitor is told.
import { HrunError } from '../base/errors.ts';
import { type Healthcheck, isProbed } from '../container/index.ts';
import type { ImageHealthcheck, ProcessConfig } from '../oci/index.ts';
import type { VmHealth } from '../vm/index.ts';
import type { HealthOptions } from './container-options.ts';

const NS_PER_MS = 1e6;
/** moby, daemon/health.go */
const DEFAULTS = { interval: 30e9, timeout: 30e9, startPeriod: 0, startInterval: 5e9, retries: 3 };
const DEFAULT_SHELL = ['/bin/sh', '-c'];
/** of vm.json */
const MOST_MS = 2 ** 31 - 1;
const MOST_RETRIES = 2 ** 32 - 1;

/** The user's options over the image's, one by one, as Docker merges them. USAGE for what is too small. */
export function healthcheckOf(
  image: ImageHealthcheck | null | undefined,
  options: HealthOptions | undefined,
): Healthcheck | undefined {
  if (options === 'none') return { test: ['NONE'], ...NOTHING_SAID };
  if (!image && !options) return undefined;
  const merged = {
    test: [...(options?.test ?? image?.Test ?? [])],
    interval: options?.interval || image?.Interval || 0,
    timeout: options?.timeout || image?.Timeout || 0,
    startPeriod: options?.startPeriod || image?.StartPeriod || 0,
    startInterval: options?.startInterval || image?.StartInterval || 0,
    retries: options?.retries || image?.Retries || 0,
  };
  return checked(merged);
}

const NOTHING_SAID = { interval: 0, timeout: 0, startPeriod: 0, startInterval: 0, retries: 0 };

const TIMES = {
  interval: 'Interval',
  timeout: 'Timeout',
  startPeriod: 'StartPeriod',
  startInterval: 'StartInterval',
} as const;

function checked(healthcheck: Healthcheck): Healthcheck {
  for (const [key, name] of Object.entries(TIMES) as [keyof typeof TIMES, string][]) {
    const time = healthcheck[key];
    if (time !== 0 && time < NS_PER_MS)
      throw new HrunError('USAGE', `${name} in Healthcheck cannot be less than 1ms`);
  }
  if (healthcheck.retries < 0) throw new HrunError('USAGE', 'Retries in Healthcheck cannot be negative');
  return healthcheck;
}

/** The command of a probe; undefined when there is none. A line of shell goes to the image's shell. */
export function probeCommand(
  healthcheck: Healthcheck | undefined,
  shell: ProcessConfig['Shell'],
): string[] | undefined {
  if (!healthcheck || !isProbed(healthcheck)) return undefined;
  const [kind, ...command] = healthcheck.test;
  return kind === 'CMD' ? command : [...(shell?.length ? shell : DEFAULT_SHELL), ...command];
}

/** For vm.json: the defaults filled in, in milliseconds. */
export function vmHealth(healthcheck: Healthcheck): VmHealth {
  const { interval, timeout, startPeriod, startInterval, retries } = healthcheck;
  return {
    intervalMs: milliseconds(interval || DEFAULTS.interval),
    timeoutMs: milliseconds(timeout || DEFAULTS.timeout),
    startPeriodMs: milliseconds(startPeriod || DEFAULTS.startPeriod),
    startIntervalMs: milliseconds(startInterval || DEFAULTS.startInterval),
    retries: Math.min(retries || DEFAULTS.retries, MOST_RETRIES),
  };
}

function milliseconds(ns: number): number {
  return Math.min(Math.round(ns / NS_PER_MS), MOST_MS);
}

/** As images and `inspect` have it: what was not said is left out. */
export function describeHealthcheck(healthcheck: Healthcheck): ImageHealthcheck {
  const { test, interval, timeout, startPeriod, startInterval, retries } = healthcheck;
  return {
    ...(test.length > 0 && { Test: test }),
    ...(interval > 0 && { Interval: interval }),
    ...(timeout > 0 && { Timeout: timeout }),
    ...(startPeriod > 0 && { StartPeriod: startPeriod }),
    ...(startInterval > 0 && { StartInterval: startInterval }),
    ...(retries > 0 && { Retries: retries }),
  };
}
