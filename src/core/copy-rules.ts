// SPDX-License-Identifier: Apache-2.0
// Where `docker cp` puts what: the same rules for both directions.
import { posix } from 'node:path';
import { HrunError } from '../base/errors.ts';

/** Where a copy is unpacked, and under which name what is copied appears there; undefined: its own. */
export interface CopyPlan {
  directory: string;
  name: string | undefined;
}

interface Destination {
  path: string;
  exists: boolean;
  isDirectory: boolean;
}

/**
 * Docker's rules: into a directory that exists; else to the path itself, in its parent. A directory never replaces a file, and a
 * file becomes no directory.
 */
export function planCopy(source: { isDirectory: boolean }, destination: Destination): CopyPlan {
  const { path, exists, isDirectory } = destination;
  if (exists && isDirectory) return { directory: path, name: undefined };
  if (exists && source.isDirectory) throw new HrunError('COPY_FAILED', 'cannot copy directory');
  if (!exists && !source.isDirectory && assertsDirectory(path)) {
    throw new HrunError('COPY_FAILED', 'no such directory', { hint: `${path} is not there: make it first` });
  }
  const clean = posix.normalize(path).replace(/(.)\/$/, '$1');
  return { directory: posix.dirname(clean), name: posix.basename(clean) };
}

/** True for what can only mean a directory. */
export function assertsDirectory(path: string): boolean {
  return /(?:^|\/)\.?$/.test(path);
}

/** What a path's file is called in an archive: "." for the content of a directory. */
export function archiveName(path: string): string {
  if (/(?:^|\/)\.$/.test(path)) return '.';
  return posix.basename(posix.normalize(path)) || '/';
}

/** `a:b` is a path in container a; a path with a slash or dot before its colon is the host's own. */
export function splitContainerPath(text: string): { container: string; path: string } | undefined {
  if (text.startsWith('/') || text.startsWith('.') || text === '-') return undefined;
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { container: text.slice(0, colon), path: text.slice(colon + 1) };
}
