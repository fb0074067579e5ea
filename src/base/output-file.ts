// SPDX-License-Identifier: Apache-2.0
// Files that the user has named for a result to go to.
import { type FileHandle, open, realpath, stat } from 'node:fs/promises';
import { replaceFile } from './atomic-file.ts';
import { errnoOf, HrunError, systemMessage } from './errors.ts';
import { isDiskFull } from './store-error.ts';

/** Takes bytes in order; resolves when it can take more. */
export type Sink = (bytes: Uint8Array) => Promise<void>;

/**
 * Writes the file `path` by `write`. It appears, or is replaced, only when it is whole and durable; a symbolic link stays and is
 * followed. What is no regular file, such as a device or a named pipe, is written to as it is. OUTPUT_FAILED, DISK_FULL.
 */
export async function writeOutputFile(
  path: string,
  mode: number,
  write: (sink: Sink) => Promise<void>,
): Promise<void> {
  const place = await target(path);
  let theirs: unknown; // what `write` fails with is not the file's failure
  const fill = async (file: FileHandle) => {
    try {
      await write((bytes) => saying(path, () => file.writeFile(bytes)));
    } catch (error) {
      theirs = error;
      throw error;
    }
  };
  try {
    if (place.special) await fillAsItIs(place.path, fill);
    else await replaceFile(place.path, mode, fill);
  } catch (error) {
    throw error === theirs ? error : failure(path, error);
  }
}

async function fillAsItIs(path: string, fill: (file: FileHandle) => Promise<void>): Promise<void> {
  await using file = await open(path, 'w');
  await fill(file);
}

/** Where a path leads, and whether something is there that cannot be replaced. */
async function target(path: string): Promise<{ path: string; special: boolean }> {
  try {
    const place = await realpath(path);
    return { path: place, special: !(await stat(place)).isFile() };
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return { path, special: false };
    throw failure(path, error);
  }
}

async function saying<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw failure(path, error);
  }
}

function failure(path: string, cause: unknown): unknown {
  const errno = errnoOf(cause);
  if (errno === undefined || cause instanceof HrunError) return cause;
  if (isDiskFull(errno)) return new HrunError('DISK_FULL', `no space left for ${path}`, { cause });
  return new HrunError('OUTPUT_FAILED', `${path} cannot be written: ${systemMessage(cause)}`, { cause });
}
