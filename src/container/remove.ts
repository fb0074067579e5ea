// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { syncDirectory } from '../base/atomic-file.ts';
import { listDirectory } from '../base/directory.ts';
import { errnoOf, HrunError } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import { type FileLock, native } from '../native/index.ts';
import { type ContainerConfig, readContainerConfig } from './container-config.ts';
import { recordContainer } from './container-events.ts';
import { readState } from './container-state.ts';
import { containerDirectory, nameOf, noSuchContainer } from './directory.ts';
import { shortId } from './id.ts';
import { releaseName } from './names.ts';

const DELETED_PREFIX = 'container-';

/** Removes a container that is not running, with everything it wrote; CONTAINER_STATE when it runs. */
export async function removeContainer(root: Root, id: string): Promise<void> {
  const lock = await lockStopped(root, id);
  const name = nameOf(root, id);
  try {
    const config = configOf(root, id);
    await takeOut(root, id);
    if (config) recordContainer(root, config, 'destroy');
    if (name !== undefined) await releaseName(root, name, id);
    await deleteTree(doomedPath(root, id));
  } finally {
    lock.release();
  }
}

/**
 * Takes a container's directory out of the store in one step, durably, then deletes it. Only while its lock is held;
 * a directory that is gone already is fine.
 */
export async function deleteDirectory(root: Root, id: string): Promise<void> {
  await takeOut(root, id);
  await deleteTree(doomedPath(root, id));
}

async function takeOut(root: Root, id: string): Promise<void> {
  try {
    moveInto(root.tmp, containerDirectory(root, id), doomedPath(root, id));
    await syncDirectory(root.containers);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}

/** Undefined for one whose configuration is damaged: it can be removed all the same. */
function configOf(root: Root, id: string): ContainerConfig | undefined {
  try {
    return readContainerConfig(containerDirectory(root, id));
  } catch {
    return undefined;
  }
}

/** As long as this is there somebody is busy with the removal, or was killed. */
function doomedPath(root: Root, id: string): string {
  return join(root.tmp, `${DELETED_PREFIX}${id}`);
}

/** Finishes deletions that were killed halfway. */
export async function sweepDeleted(root: Root): Promise<void> {
  for (const name of listDirectory(root.tmp)) {
    if (name.startsWith(DELETED_PREFIX)) await deleteTree(join(root.tmp, name));
  }
}

/** Two processes may delete the same tree: what the other took first is gone as well. */
async function deleteTree(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 3 });
}

function moveInto(directory: string, from: string, to: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  renameSync(from, to);
}

const LOCK_ATTEMPTS = 500;
const LOCK_PAUSE_MS = 20;

/** A VM that serves the files of a container at rest (`cp`, `commit`) lets go of it soon: it is waited for. */
async function lockStopped(root: Root, id: string): Promise<FileLock> {
  for (let attempt = 0; attempt < LOCK_ATTEMPTS; attempt++) {
    const lock = tryLock(root, id);
    if (lock) return lock;
    const directory = containerDirectory(root, id);
    if (!existsSync(directory)) throw noSuchContainer(id);
    const status = readState(directory)?.status;
    if (status !== 'exited' && status !== 'created') break;
    await sleep(LOCK_PAUSE_MS);
  }
  throw new HrunError('CONTAINER_STATE', `container ${shortId(id)} is running`, {
    hint: 'stop it first, or use rm -f',
  });
}

function tryLock(root: Root, id: string): FileLock | null {
  try {
    const path = join(containerDirectory(root, id), 'lock');
    return native().lockFile(path, { shared: false, wait: false });
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    throw noSuchContainer(id);
  }
}
