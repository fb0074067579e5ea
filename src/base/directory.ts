// SPDX-License-Identifier: Apache-2.0
import { readdirSync } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncDirectory } from './atomic-file.ts';
import { errnoOf } from './errors.ts';

/**
 * Makes a directory and those above it, unless they are there, and makes their names durable. `mode` is for all that are made. (Node's own
 * recursive mkdir never ends in a file system that answers ENOENT to mkdir, such as /proc.)
 */
export async function makeDirectory(path: string, mode = 0o755): Promise<void> {
  try {
    await makeOne(path, mode);
  } catch (error) {
    const parent = dirname(path);
    if (errnoOf(error) !== 'ENOENT' || parent === path) throw error;
    if (!(await isThere(parent))) await makeDirectory(parent, mode);
    await makeOne(path, mode); // somebody else may have made the parent meanwhile
  }
}

async function makeOne(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path, mode);
    await syncDirectory(dirname(path));
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST' || !(await stat(path)).isDirectory()) throw error;
  }
}

/** The names in a directory; none when it is not there. */
export function listDirectory(path: string): string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
