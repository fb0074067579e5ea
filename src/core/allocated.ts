// SPDX-License-Identifier: Apache-2.0
import { type Dirent, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import { containerDirectory } from '../container/index.ts';

const BLOCK_BYTES = 512;

/** Bytes that a file takes on the host's disk, holes left out; 0 when it is not there. */
export function allocatedBytes(path: string): number {
  try {
    return statSync(path).blocks * BLOCK_BYTES;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return 0;
    throw error;
  }
}

/** Bytes of the host's disk that a container's writable disk takes. */
export function writableSize(root: Root, id: string): number {
  return allocatedBytes(join(containerDirectory(root, id), 'writable.ext4'));
}

/** Bytes of the host's disk that all files below a directory take; 0 when it is not there. */
export function directorySize(path: string): number {
  let entries: Dirent[];
  try {
    entries = readdirSync(path, { withFileTypes: true });
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return 0;
    throw error;
  }
  return entries.reduce((sum, entry) => {
    const inner = join(path, entry.name);
    if (entry.isDirectory()) return sum + directorySize(inner);
    return entry.isFile() ? sum + allocatedBytes(inner) : sum;
  }, 0);
}
