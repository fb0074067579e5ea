// SPDX-License-Identifier: Apache-2.0
// Containers whose monitor was killed, and containers whose maker was: found by the locks that nobody holds.
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { errnoOf } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import { type FileLock, native } from '../native/index.ts';
import { type ContainerConfig, readContainerConfig } from './container-config.ts';
import { recordContainer } from './container-events.ts';
import { type ContainerState, isStateDamaged, readState, writeLastState } from './container-state.ts';
import { containerDirectory, listContainerIds } from './directory.ts';
import { isProcessAlive } from './keeper-process.ts';
import { releaseDanglingNames } from './names.ts';
import { deleteDirectory, sweepDeleted } from './remove.ts';

const SIGKILL = 9;
/** as ErrorKind.VM of the agent protocol */
const VM_ERROR = 8;

/** What a look at a container's locks found, and what was done about it; `gone`: somebody else has removed it. */
export type RepairResult = 'alive' | 'sound' | 'repaired' | 'removed' | 'gone';

/** Repairs every container, frees the names of those that are gone, and finishes their deletion. */
export async function repairContainers(root: Root): Promise<void> {
  for (const id of listContainerIds(root)) await repairContainer(root, id);
  await releaseDanglingNames(root);
  await sweepDeleted(root);
}

/**
 * Writes the truthful state of a container whose monitor was killed, and removes it if it was to be removed
 * at its end or was never finished. A container that somebody holds, or whose state is damaged, is left alone.
 */
export async function repairContainer(root: Root, id: string): Promise<RepairResult> {
  const directory = containerDirectory(root, id);
  const state = readState(directory);
  if (state === undefined) return isStateDamaged(directory) ? 'sound' : await removeUnfinished(root, id);
  if (isAtRest(state, configOf(directory))) return 'sound';
  if (state.status === 'created') return await removeUnfinished(root, id);
  return await withLock(directory, () => settle(root, id, directory), state.monitorPid);
}

/** True when no monitor, and nobody who makes or removes it, has anything to do with the container: its state is the truth. */
export function isAtRest(state: ContainerState, config: ContainerConfig | undefined): boolean {
  const temporary = config?.autoRemove === true;
  if (state.status === 'created') return !temporary || config.awaitsStart === true;
  return state.status === 'exited' && !temporary;
}

const DEATH_ATTEMPTS = 1000;
const DEATH_PAUSE_MS = 10;

/**
 * Runs `action` if nobody holds the container. A keeper that was killed takes its monitor and machine with it, which hold the lock until
 * each has ended: with the keeper's pid that is waited for, since nothing of it runs any more that could be called running.
 */
async function withLock(
  directory: string,
  action: () => Promise<RepairResult>,
  keeperPid = 0,
): Promise<RepairResult> {
  let lock = tryLock(join(directory, 'lock'));
  for (let attempt = 0; !lock && attempt < DEATH_ATTEMPTS; attempt++) {
    if (keeperPid === 0 || isProcessAlive(keeperPid)) return 'alive';
    await sleep(DEATH_PAUSE_MS);
    lock = tryLock(join(directory, 'lock'));
  }
  if (lock === 'gone') return 'gone';
  if (!lock) return 'alive';
  try {
    return await action();
  } finally {
    lock.release();
  }
}

/** The lock is ours: what the state says now is what the dead monitor left. */
async function settle(root: Root, id: string, directory: string): Promise<RepairResult> {
  const state = readState(directory);
  if (state?.status === 'created') return 'sound';
  const died = state !== undefined && state.status !== 'exited';
  const config = configOf(directory);
  if (config?.autoRemove === true) {
    await deleteDirectory(root, id);
    if (died) recordDeath(root, config, state);
    recordContainer(root, config, 'destroy');
    return 'removed';
  }
  if (!died) return 'sound';
  await writeLastState(directory, deadState(state));
  removeSockets(directory);
  recordDeath(root, config, state);
  return 'repaired';
}

/** The keeper could not. */
function recordDeath(root: Root, config: ContainerConfig | undefined, state: ContainerState): void {
  const { exitCode } = deadState(state);
  if (config && state.status !== 'starting')
    recordContainer(root, config, 'die', { exitCode: String(exitCode) });
}

/** A VM that dies takes its process with it, as SIGKILL would. */
function deadState(state: ContainerState): ContainerState {
  return {
    ...state,
    status: 'exited',
    monitorPid: 0,
    vmmPid: 0,
    finishedAt: new Date().toISOString(),
    exitCode: state.status === 'starting' ? 125 : 128 + SIGKILL,
    signal: state.status === 'starting' ? 0 : SIGKILL,
    error: { kind: VM_ERROR, message: "the VM's monitor was killed" },
  };
}

/** A container without a state is still being made, unless nobody is making any. */
async function removeUnfinished(root: Root, id: string): Promise<RepairResult> {
  const making = tryLock(join(root.containers, 'lock'));
  if (!making || making === 'gone') return 'alive';
  try {
    return await withLock(containerDirectory(root, id), async () => {
      await deleteDirectory(root, id);
      return 'removed';
    });
  } finally {
    making.release();
  }
}

function tryLock(path: string): FileLock | null | 'gone' {
  try {
    return native().lockFile(path, { shared: false, wait: false });
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return 'gone';
    throw error;
  }
}

/** Undefined when it cannot be read: that is nobody's reason to remove a container. */
function configOf(directory: string): ContainerConfig | undefined {
  try {
    return readContainerConfig(directory);
  } catch {
    return undefined;
  }
}

function removeSockets(directory: string): void {
  const sockets = readdirSync(directory).filter((name) => /^(?:control|vsock)\.sock/.test(name));
  for (const name of sockets) rmSync(join(directory, name), { force: true });
}
