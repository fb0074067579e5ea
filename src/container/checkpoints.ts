// SPDX-License-Identifier: Apache-2.0
// Checkpoints of a container, each a directory: docs/checkpoint.md. One has its name only when it is whole.
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { syncDirectory, syncFile } from '../base/atomic-file.ts';
import { listDirectory, makeDirectory } from '../base/directory.ts';
import { errnoOf, HrunError } from '../base/errors.ts';
import { isNoRegularFile, readRegularFile } from '../base/regular-file.ts';
import { settingsPath } from '../base/settings.ts';
import { shortId } from './id.ts';

/** What is said of a checkpoint beside its files: checkpoint.json. */
export interface CheckpointDescription {
  version: 1;
  /** RFC 3339 */
  created: string;
  /** 64 hex digits */
  container: string;
  /** of machine and host, by what a user would call it: where it is restored they have to be the same */
  facts: Record<string, string>;
}

const DESCRIPTION = 'checkpoint.json';
const VALID = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,127}$/;

/** Where a container's checkpoints are, unless its user has said where. */
export function checkpointsPath(containerDirectory: string): string {
  return settingsPath(containerDirectory, 'checkpoints');
}

/** USAGE for a name that no checkpoint can have. */
export function checkCheckpointName(name: string): void {
  if (VALID.test(name)) return;
  throw new HrunError('USAGE', `"${name}" cannot be the name of a checkpoint`, {
    hint: 'two to 128 letters, digits, underscores, dots and hyphens, beginning with a letter or digit',
  });
}

/** The names of all in `parent`, sorted. */
export function listCheckpoints(parent: string): string[] {
  const names = listDirectory(parent).filter((name) => VALID.test(name));
  return names.filter((name) => existsSync(join(parent, name, DESCRIPTION))).sort();
}

/**
 * Makes one: `fill` writes its files into the directory that it is given, and returns the description. Only one at a time for a
 * container; what one that was killed has left is cleared away. NAME_IN_USE.
 */
export async function makeCheckpoint(
  parent: string,
  { name, container }: { name: string; container: string },
  fill: (directory: string) => Promise<CheckpointDescription>,
): Promise<void> {
  const whole = join(parent, name);
  if (existsSync(whole)) throw inUse(name, parent);
  await makeDirectory(parent, 0o700);
  const ending = `.${shortId(container)}.making`;
  for (const left of readdirSync(parent).filter((each) => each.endsWith(ending)))
    await rm(join(parent, left), { recursive: true, force: true });
  const making = join(parent, `.${name}${ending}`);
  mkdirSync(making, { mode: 0o700 });
  try {
    const description = await fill(making);
    await writeFile(join(making, DESCRIPTION), JSON.stringify(description), { mode: 0o600 });
    await syncFile(join(making, DESCRIPTION));
    await syncDirectory(making);
    await rename(making, whole);
    await syncDirectory(parent);
  } catch (error) {
    if (errnoOf(error) === 'ENOTEMPTY' || errnoOf(error) === 'EEXIST') throw inUse(name, parent);
    throw error;
  } finally {
    await rm(making, { recursive: true, force: true });
  }
}

/** What commands that were killed have left in `parent`, while nobody makes or removes one there: paths. */
export function leftCheckpoints(parent: string): string[] {
  const left = listDirectory(parent).filter((name) => /^\..*\.(making|going)$/.test(name));
  return left.map((name) => join(parent, name));
}

/** The description of one; NO_SUCH_CHECKPOINT, STORE_CORRUPT. */
export function readCheckpoint(parent: string, name: string): CheckpointDescription {
  if (!listCheckpoints(parent).includes(name)) throw noSuchCheckpoint(name);
  const path = join(parent, name, DESCRIPTION);
  try {
    const read = JSON.parse(readRegularFile(path)) as CheckpointDescription;
    if (read.version === 1 && typeof read.facts === 'object' && read.facts !== null) return read;
  } catch (error) {
    if (!(error instanceof SyntaxError) && !isNoRegularFile(error)) throw error;
  }
  throw new HrunError('STORE_CORRUPT', `${path} is damaged, or of another version of hrun`, {
    hint: 'the checkpoint is of no use: make another',
  });
}

/** Removes one; NO_SUCH_CHECKPOINT. */
export async function removeCheckpoint(parent: string, name: string): Promise<void> {
  if (!listCheckpoints(parent).includes(name)) throw noSuchCheckpoint(name);
  const going = join(parent, `.${name}.going`);
  await rm(going, { recursive: true, force: true });
  try {
    await rename(join(parent, name), going);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') throw noSuchCheckpoint(name);
    throw error;
  }
  await syncDirectory(parent);
  await rm(going, { recursive: true, force: true });
}

function noSuchCheckpoint(name: string): HrunError {
  return new HrunError('NO_SUCH_CHECKPOINT', `no such checkpoint: ${name}`, {
    hint: 'see: hrun checkpoint ls CONTAINER',
  });
}

function inUse(name: string, parent: string): HrunError {
  return new HrunError('NAME_IN_USE', `there is a checkpoint ${name} in ${parent} already`, {
    hint: 'give another name, or remove it: hrun checkpoint rm',
  });
}
