// SPDX-License-Identifier: Apache-2.0
// containers/names/<name> is a symbolic link to the container's id: docs/store.md.
import { existsSync, readlinkSync, symlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { syncDirectory } from '../base/atomic-file.ts';
import { listDirectory, makeDirectory } from '../base/directory.ts';
import { errnoOf, HrunError, hasCode } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import { native } from '../native/index.ts';
import { readContainerConfig } from './container-config.ts';
import { generateName } from './generated-name.ts';
import { isContainerId, shortId } from './id.ts';

const VALID = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,127}$/;
const ATTEMPTS = 20;

/** Takes `name` for a container whose directory is already there; NAME_IN_USE, or USAGE for a bad name. */
export async function takeName(root: Root, name: string, id: string): Promise<void> {
  checkName(name);
  if ((await link(root, name, id)) || (await takeOver(root, name, id))) return;
  throw nameInUse(root, name);
}

/**
 * Gives a container that has the name `before` another one; `write` writes it down. In between the container has both, and keeps
 * the one that is written down if that is the end.
 */
export async function changeName(
  root: Root,
  id: string,
  names: { before: string; after: string },
  write: () => Promise<void>,
): Promise<void> {
  const { before, after } = names;
  checkName(after);
  const lock = await lockNames(root);
  try {
    if (!(await claim(root, after, id))) throw nameInUse(root, after);
    await syncNames(root);
    await write().catch((error: unknown) => {
      unlinkSync(linkPath(root, after));
      throw error;
    });
    if (targetOf(root, before) === id) unlinkSync(linkPath(root, before));
    await syncNames(root);
  } finally {
    lock.release();
  }
}

/** Takes a generated name that is free, and returns it. */
export async function takeGeneratedName(root: Root, id: string): Promise<string> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const name = attempt < ATTEMPTS / 2 ? generateName() : `${generateName()}_${shortId(id).slice(0, 6)}`;
    if (await link(root, name, id)) return name;
  }
  throw new HrunError('NAME_IN_USE', 'no free name was found for the container', {
    hint: 'give one: --name',
  });
}

/** The container that holds a name, if it is still there. */
export function idOfName(root: Root, name: string): string | undefined {
  const id = targetOf(root, name);
  return id !== undefined && existsSync(join(root.containers, id)) ? id : undefined;
}

/** Frees a name, if it still belongs to the container. */
export async function releaseName(root: Root, name: string, id: string): Promise<void> {
  const lock = await lockNames(root);
  try {
    if (targetOf(root, name) === id) unlinkSync(linkPath(root, name));
  } finally {
    lock.release();
  }
}

/** Frees every name whose container is gone. */
export async function releaseDanglingNames(root: Root): Promise<void> {
  for (const name of listNames(root)) {
    const id = targetOf(root, name);
    if (id !== undefined && !existsSync(join(root.containers, id))) await releaseName(root, name, id);
  }
}

/** All names that are taken or look so. */
export function listNames(root: Root): string[] {
  return listDirectory(namesDir(root));
}

/** Makes the names durable that were given and taken away until now. */
export async function syncNames(root: Root): Promise<void> {
  await syncDirectory(namesDir(root));
}

/** Links a name to the container that has it written down. Only under the lock. */
export async function giveBackName(root: Root, name: string, id: string): Promise<void> {
  if (!(await claim(root, name, id))) throw nameInUse(root, name);
  await syncNames(root);
}

function checkName(name: string): void {
  if (VALID.test(name)) return;
  throw new HrunError('USAGE', `invalid container name ${JSON.stringify(name)}`, {
    hint: 'letters, digits, "_", "." and "-" are allowed, two or more, the first a letter or digit',
  });
}

function nameInUse(root: Root, name: string): HrunError {
  return new HrunError('NAME_IN_USE', `the name ${name} is in use by ${describeOwner(root, name)}`, {
    hint: 'remove that container or choose another name',
  });
}

async function takeOver(root: Root, name: string, id: string): Promise<boolean> {
  const lock = await lockNames(root);
  try {
    return await claim(root, name, id);
  } finally {
    lock.release();
  }
}

/** Only under the lock: then nobody else can take over the name between the look and the link. */
async function claim(root: Root, name: string, id: string): Promise<boolean> {
  const owner = idOfName(root, name);
  if (owner === id) return true;
  if (owner !== undefined && !isCalledOtherwise(root, owner, name)) return false;
  if (targetOf(root, name) !== undefined) unlinkSync(linkPath(root, name));
  return await link(root, name, id);
}

/** True when the container has written down another name: this link is what a renaming that was cut off has left. */
function isCalledOtherwise(root: Root, id: string, name: string): boolean {
  try {
    return readContainerConfig(join(root.containers, id)).name !== name;
  } catch (error) {
    if (hasCode(error, 'STORE_CORRUPT') || errnoOf(error) === 'ENOENT') return false; // it is being made
    throw error;
  }
}

async function link(root: Root, name: string, id: string): Promise<boolean> {
  try {
    symlinkSync(id, linkPath(root, name));
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    if (errnoOf(error) !== 'ENOENT') throw error;
    await makeDirectory(namesDir(root), 0o700);
    return await link(root, name, id);
  }
}

/** The id that a name's link holds, whether that container is there or not. */
export function targetOf(root: Root, name: string): string | undefined {
  if (!VALID.test(name)) return undefined;
  try {
    const id = readlinkSync(linkPath(root, name));
    return isContainerId(id) ? id : undefined;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'EINVAL') return undefined;
    throw error;
  }
}

function describeOwner(root: Root, name: string): string {
  const id = idOfName(root, name);
  return id === undefined ? 'another container' : `container ${shortId(id)}`;
}

/** Held by whoever lets go of a name, takes one over, or changes one. */
export function lockNames(root: Root) {
  return native().lockFile(join(root.containers, 'names.lock'), { shared: false, wait: true });
}

function namesDir(root: Root): string {
  return join(root.containers, 'names');
}

function linkPath(root: Root, name: string): string {
  return join(namesDir(root), name);
}
