// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../base/digest.ts';
import { HrunError } from '../base/errors.ts';
import { parseJson } from './parse.ts';
import { validateConfig } from './validators.generated.ts';

/** Largest image config that is read, in bytes. */
export const MAX_CONFIG_BYTES = 8 * 1024 * 1024;

/** Docker's extension of the image-spec: times in nanoseconds, 0 for the default. */
export interface ImageHealthcheck {
  Test?: string[] | null;
  Interval?: number;
  Timeout?: number;
  StartPeriod?: number;
  StartInterval?: number;
  Retries?: number;
}

/** image-spec config.md, property `config`; Docker writes null for what is empty. */
export interface ProcessConfig {
  User?: string;
  ExposedPorts?: Record<string, object | null> | null;
  Env?: string[] | null;
  Entrypoint?: string[] | null;
  Cmd?: string[] | null;
  Volumes?: Record<string, object | null> | null;
  WorkingDir?: string;
  Labels?: Record<string, string> | null;
  StopSignal?: string;
  Shell?: string[] | null;
  Healthcheck?: ImageHealthcheck | null;
  OnBuild?: string[] | null;
}

export interface HistoryEntry {
  created?: string | null;
  created_by?: string;
  author?: string;
  comment?: string;
  empty_layer?: boolean;
}

/** image-spec config.md */
export interface ImageConfig {
  created?: string | null;
  author?: string;
  architecture: string;
  os: string;
  variant?: string;
  config?: ProcessConfig | null;
  rootfs: { type: 'layers'; diff_ids?: Digest[] | null };
  history?: HistoryEntry[] | null;
}

/** Parses an image config; throws BAD_IMAGE. */
export function parseImageConfig(bytes: Uint8Array, where: string): ImageConfig {
  return parseJson<ImageConfig>(bytes, where, validateConfig);
}

/** The config's diffIDs, lowest layer first; BAD_IMAGE unless there are `layers` of them. */
export function diffIdsOf(config: ImageConfig, layers: number, where: string): Digest[] {
  const diffIds = config.rootfs.diff_ids ?? [];
  if (diffIds.length !== layers) {
    throw new HrunError('BAD_IMAGE', `${where} has ${layers} layers but its config names ${diffIds.length}`);
  }
  const odd = diffIds.find((diffId) => !diffId.startsWith('sha256:'));
  if (odd) {
    const hint = 'only sha256 is supported for layers';
    throw new HrunError('UNSUPPORTED', `${where} names a layer by ${odd.slice(0, 20)}…`, { hint });
  }
  return diffIds;
}
