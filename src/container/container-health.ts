// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { isNoRegularFile, readRegularFile } from '../base/regular-file.ts';
import { type ContainerConfig, isProbed } from './container-config.ts';
import type { ContainerState } from './container-state.ts';

/** What the probes of a container have found, in Docker's words. */
export interface ContainerHealth {
  status: HealthStatus;
  /** probes that failed since the last that did not */
  failingStreak: number;
  /** the last ones, oldest first */
  log: ProbeResult[];
}

export type HealthStatus = 'starting' | 'healthy' | 'unhealthy';

export interface ProbeResult {
  /** RFC 3339, UTC */
  start: string;
  end: string;
  /** of the probe's process; -1 when it did not come to its own end */
  exitCode: number;
  output: string;
}

/** native/monitor/health.cc writes it */
const HEALTH_FILE = 'health.json';

const STATUSES: readonly string[] = ['starting', 'healthy', 'unhealthy'];

/**
 * A container's health; undefined for one that is not probed, or was never started. Nobody probes one that does not run: it is
 * unhealthy then, as with Docker.
 */
export function readHealth(
  directory: string,
  config: ContainerConfig,
  state: ContainerState,
): ContainerHealth | undefined {
  if (!isProbed(config.healthcheck) || state.status === 'created' || state.status === 'starting')
    return undefined;
  const health = readFile(directory) ?? { status: 'starting', failingStreak: 0, log: [] };
  return state.status === 'running' ? health : { ...health, status: 'unhealthy' };
}

/** Undefined when there is none, or what is there is no health: its writer shares a process with a guest. */
function readFile(directory: string): ContainerHealth | undefined {
  try {
    const { status, failingStreak, log } = JSON.parse(
      readRegularFile(join(directory, HEALTH_FILE)),
    ) as ContainerHealth;
    const sound = STATUSES.includes(status) && Number.isInteger(failingStreak) && Array.isArray(log);
    return sound && log.every(isProbeResult) ? { status, failingStreak, log } : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError || isNoRegularFile(error))
      return undefined;
    throw error;
  }
}

function isProbeResult(result: unknown): result is ProbeResult {
  const { start, end, exitCode, output } = (result ?? {}) as ProbeResult;
  const texts = [start, end, output].every((text) => typeof text === 'string');
  return texts && Number.isInteger(exitCode);
}
