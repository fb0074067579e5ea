// SPDX-License-Identifier: Apache-2.0
// containers/<id>: making one, and finding those that are there. docs/store.md, docs/monitor.md.
import { closeSync, fsyncSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { syncDirectory } from '../base/atomic-file.ts';
import { listDirectory, makeDirectory } from '../base/directory.ts';
import { errnoOf, HrunError, hasCode } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import { settingsPath } from '../base/settings.ts';
import { type FileLock, native } from '../native/index.ts';
import { type ContainerConfig, readContainerConfig } from './container-config.ts';
import { isContainerId, isIdPrefix, shortId } from './id.ts';
import { idOfName, syncNames } from './names.ts';

/** A container's directory. */
export function containerDirectory(root: Root, id: string): string {
  return join(root.containers, id);
}

/**
 * Says that a container is being made: until `release`, half-made containers are not cleared away. Makes the
 * directory of all containers if it is missing.
 */
export async function lockForMaking(root: Root): Promise<FileLock> {
  const path = join(root.containers, 'lock');
  try {
    return native().lockFile(path, { shared: true, wait: false }) ?? (await waitShared(path));
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    await makeDirectory(root.containers, 0o700);
    return await waitShared(path);
  }
}

/** Runs `action` unless somebody makes a container: no directory that is not there comes into being meanwhile. */
export async function whileNobodyMakes(root: Root, action: () => Promise<void>): Promise<void> {
  let lock: FileLock | null;
  try {
    lock = native().lockFile(join(root.containers, 'lock'), { shared: false, wait: false });
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    return;
  }
  if (!lock) return;
  try {
    await action();
  } finally {
    lock.release();
  }
}

/** Makes the directory of a new container, with no settings in it yet. */
export function makeContainerDirectory(root: Root, id: string): string {
  const directory = containerDirectory(root, id);
  mkdirSync(directory, { mode: 0o700 });
  mkdirSync(settingsPath(directory), { mode: 0o700 });
  return directory;
}

/** Makes the names of a new container durable: its directory's and its own. */
export async function syncContainerNames(root: Root): Promise<void> {
  await Promise.all([syncNames(root), syncDirectory(root.containers)]);
}

/** Writes one of a new container's files; `durable` syncs it. */
export function writeContainerFile(path: string, data: Uint8Array | string, durable: boolean): void {
  const fd = openSync(path, 'wx', 0o600);
  try {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    if (durable) fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** The ids of all containers, half-made ones included, in no order. */
export function listContainerIds(root: Root): string[] {
  return listDirectory(root.containers).filter(isContainerId);
}

/**
 * The container that a name, an id or the unique beginning of one means; NO_SUCH_CONTAINER, AMBIGUOUS_ID. While a container is
 * renamed it can be found by two names: the one that is written down is its own.
 */
export function findContainer(root: Root, asked: string): string {
  const text = calledBy(asked);
  const named = idOfName(root, text);
  if (named && (nameOf(root, named) ?? text) === text) return named;
  const matches = isIdPrefix(text) ? listContainerIds(root).filter((id) => id.startsWith(text)) : [];
  if (matches.length > 1) {
    throw new HrunError('AMBIGUOUS_ID', `${matches.length} containers have an ID that begins with ${text}`, {
      hint: 'give more digits',
    });
  }
  if (matches[0]) return matches[0];
  throw noSuchContainer(text);
}

/** `/web`, as `inspect` shows names, is `web`. */
export function calledBy(text: string): string {
  return text.startsWith('/') ? text.slice(1) : text;
}

/** What is said of a container that was not found, or is gone meanwhile. */
export function noSuchContainer(text: string): HrunError {
  return new HrunError(
    'NO_SUCH_CONTAINER',
    `no such container: ${isContainerId(text) ? shortId(text) : text}`,
    {
      hint: 'see: hrun ps -a',
    },
  );
}

/** The name in a container's config, if it has one that can be read. */
export function nameOf(root: Root, id: string): string | undefined {
  return readableConfig(root, id)?.name;
}

/** A container's config; undefined when it is damaged or gone. */
export function readableConfig(root: Root, id: string): ContainerConfig | undefined {
  try {
    return readContainerConfig(containerDirectory(root, id));
  } catch (error) {
    if (hasCode(error, 'STORE_CORRUPT') || errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function waitShared(path: string): Promise<FileLock> {
  return native().lockFile(path, { shared: true, wait: true });
}
