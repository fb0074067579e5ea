// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '../base/atomic-file.ts';
import { errnoOf } from '../base/errors.ts';

export type ContainerStatus = 'created' | 'starting' | 'running' | 'exited';

/** state.json of a container's directory: docs/monitor.md. */
export interface ContainerState {
  version: 1;
  status: ContainerStatus;
  monitorPid: number;
  vmmPid: number;
  /** RFC 3339 with nanoseconds, UTC; empty before the start */
  startedAt: string;
  finishedAt: string;
  exitCode: number;
  signal: number;
  oomKilled: boolean;
  /** the container did not run, or its VM died */
  error?: { kind: number; message: string };
}

export const STATE_FILE = 'state.json';

const STATUSES: readonly string[] = ['created', 'starting', 'running', 'exited'];

/** The first state, which the monitor replaces. */
export const CREATED: ContainerState = {
  version: 1,
  status: 'created',
  monitorPid: 0,
  vmmPid: 0,
  startedAt: '',
  finishedAt: '',
  exitCode: 0,
  signal: 0,
  oomKilled: false,
};

/** Reads state.json; undefined when the directory holds no whole one, as in a half-made container. */
export function readState(directory: string): ContainerState | undefined {
  try {
    const state = JSON.parse(readFileSync(join(directory, STATE_FILE), 'utf8')) as ContainerState;
    return state.version === 1 && STATUSES.includes(state.status) ? state : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Replaces state.json. Only while holding the container's lock. */
export function writeState(directory: string, state: ContainerState): Promise<void> {
  return writeFileAtomic(join(directory, STATE_FILE), JSON.stringify(state), { mode: 0o600 });
}
