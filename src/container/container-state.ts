// SPDX-License-Identifier: Apache-2.0
import { constants, existsSync } from 'node:fs';
import { open, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { syncDirectory, writeFileAtomic } from '../base/atomic-file.ts';
import { errnoOf } from '../base/errors.ts';
import { isNoRegularFile, readRegularFile } from '../base/regular-file.ts';

export type ContainerStatus = 'created' | 'starting' | 'running' | 'paused' | 'restarting' | 'exited';

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
  /** its user has ended it: not the host's shut-down, nor by itself */
  stopped?: boolean;
  /** how often its restart policy has started it again */
  restartCount?: number;
  /** the container did not run, or its VM died */
  error?: { kind: number; message: string };
}

export const STATE_FILE = 'state.json';

/** native/monitor/state_file.cc makes it */
const RESERVED = 'state.json.last';

const STATUSES: readonly string[] = ['created', 'starting', 'running', 'paused', 'restarting', 'exited'];

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

/** Reads state.json; undefined when there is none, as in a half-made container, or when it is damaged. */
export function readState(directory: string): ContainerState | undefined {
  try {
    const state = JSON.parse(readRegularFile(join(directory, STATE_FILE))) as ContainerState;
    return state.version === 1 && STATUSES.includes(state.status) ? state : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || isNoRegularFile(error)) return undefined;
    throw error;
  }
}

/** True when there is a state.json that nobody can have written so: it is always put there whole. */
export function isStateDamaged(directory: string): boolean {
  return existsSync(join(directory, STATE_FILE)) && readState(directory) === undefined;
}

/** Puts the first state of a container into its directory; from then on the container is there. */
export async function writeFirstState(directory: string, durable: boolean): Promise<void> {
  const path = join(directory, STATE_FILE);
  if (durable) return await writeFileAtomic(path, JSON.stringify(CREATED), { mode: 0o600 });
  const unfinished = `${path}.first`;
  await writeFile(unfinished, JSON.stringify(CREATED), { mode: 0o600 });
  await rename(unfinished, path);
}

/**
 * Replaces state.json by the last state of a container whose monitor was killed, in the room that the monitor has reserved
 * for it: a full disk does not matter. Only while holding the container's lock.
 */
export async function writeLastState(directory: string, state: ContainerState): Promise<void> {
  const path = join(directory, STATE_FILE);
  const text = JSON.stringify(state);
  try {
    await overwrite(join(directory, RESERVED), text);
    await rename(join(directory, RESERVED), path);
    await syncDirectory(directory);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    await writeFileAtomic(path, text);
  }
}

async function overwrite(path: string, text: string): Promise<void> {
  await using file = await open(path, constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  if (!(await file.stat()).isFile()) throw Object.assign(new Error(`${path} is no file`), { code: 'EINVAL' });
  await file.writeFile(text);
  await file.truncate(Buffer.byteLength(text));
  await file.sync();
}
