// SPDX-License-Identifier: Apache-2.0
import { errnoOf, hasCode } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import { readContainerConfig, readState } from '../container/index.ts';
import type { Used } from '../guest/index.ts';
import { deniedTraffic } from '../network/index.ts';
import { askUsage } from './ask-agent.ts';
import { type HostCost, hostCost } from './host-cost.ts';
import type { KnownContainer } from './open-container.ts';

/** What a container uses in its VM, and what that costs the host. */
export interface Sample {
  /** of this measurement, CLOCK_MONOTONIC in seconds */
  time: number;
  guest: Used;
  host: HostCost;
  /** what it was denied on its way out since it was made; undefined for one that may go everywhere */
  denied: { packets: number; bytes: number } | undefined;
}

/** Measures a running container; undefined when it does not run (any more). */
export async function sampleContainer(
  root: Root,
  { id, directory }: Pick<KnownContainer, 'id' | 'directory'>,
): Promise<Sample | undefined> {
  try {
    const guest = await askUsage(directory);
    const state = readState(directory);
    if (!state) return undefined;
    const restricted = readContainerConfig(directory).host.egress !== undefined;
    const denied = restricted ? await deniedTraffic(root, id) : undefined;
    return { time: performance.now() / 1000, guest, host: hostCost(state), denied };
  } catch (error) {
    if (hasCode(error, 'CONTAINER_STATE') || errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Percent of one CPU that the guest, and the host for it, used between two samples. */
export function cpuPercent(before: Sample, after: Sample): { guest: number; host: number } {
  const seconds = after.time - before.time;
  if (seconds <= 0) return { guest: 0, host: 0 };
  const guest = (after.guest.cpuMicroseconds - before.guest.cpuMicroseconds) / 1e6;
  return {
    guest: (100 * guest) / seconds,
    host: (100 * (after.host.cpuSeconds - before.host.cpuSeconds)) / seconds,
  };
}
