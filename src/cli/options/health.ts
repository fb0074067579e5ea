// SPDX-License-Identifier: Apache-2.0
// --health-* and --no-healthcheck: Docker's.
import type { Command } from 'commander';
import { HrunError } from '../../base/errors.ts';
import type { HealthOptions } from '../../core/container-options.ts';
import { durationNs } from '../../core/go-duration.ts';

export interface HealthFlags {
  healthCmd?: string;
  healthInterval?: string;
  healthTimeout?: string;
  healthRetries?: string;
  healthStartPeriod?: string;
  healthStartInterval?: string;
  /** commander's reading of --no-healthcheck */
  healthcheck?: boolean;
}

/** Declares the options. */
export function declareHealthOptions(command: Command): void {
  command.option('--health-cmd <command>', 'a line of shell in the container that succeeds while it is well');
  command.option('--health-interval <duration>', 'time between two of them (default: 30s)');
  command.option('--health-timeout <duration>', 'how long one may take (default: 30s)');
  command.option('--health-retries <number>', 'failures in a row that make it unhealthy (default: 3)');
  command.option(
    '--health-start-period <duration>',
    'time after the start in which failures do not count (default: 0s)',
  );
  command.option('--health-start-interval <duration>', 'time between two of them meanwhile (default: 5s)');
  command.option('--no-healthcheck', "without the image's health check");
}

/** What the options ask for; undefined when nothing is said. Throws USAGE. */
export function healthOptions(flags: HealthFlags): HealthOptions | undefined {
  const { healthCmd, healthInterval, healthTimeout, healthRetries, healthStartPeriod, healthStartInterval } =
    flags;
  const asked = {
    test: healthCmd ? ['CMD-SHELL', healthCmd] : undefined,
    interval: duration(healthInterval, '--health-interval'),
    timeout: duration(healthTimeout, '--health-timeout'),
    startPeriod: duration(healthStartPeriod, '--health-start-period'),
    startInterval: duration(healthStartInterval, '--health-start-interval'),
    retries: retries(healthRetries),
  };
  const any = Object.values(asked).some(Boolean);
  if (flags.healthcheck === false && any)
    throw new HrunError('USAGE', '--no-healthcheck conflicts with --health-* options');
  if (flags.healthcheck === false) return 'none';
  return any ? asked : undefined;
}

function duration(text: string | undefined, option: string): number {
  if (text?.startsWith('-')) throw new HrunError('USAGE', `${option} cannot be negative`);
  return text === undefined || text === '0' ? 0 : durationNs(text);
}

function retries(text: string | undefined): number {
  if (text === undefined) return 0;
  if (text.startsWith('-')) throw new HrunError('USAGE', '--health-retries cannot be negative');
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new HrunError('USAGE', `--health-retries ${JSON.stringify(text)} is not a number`);
}
