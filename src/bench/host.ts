// SPDX-License-Identifier: Apache-2.0
import { arch, cpus, release, totalmem } from 'node:os';

/** The host that was measured, as far as it matters for the figures. */
export interface Host {
  cpu: string;
  cpus: number;
  memoryMiB: number;
  kernel: string;
  architecture: string;
}

export function describeHost(): Host {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cpus: cpus().length,
    memoryMiB: Math.round(totalmem() / 2 ** 20),
    kernel: release(),
    architecture: arch(),
  };
}
