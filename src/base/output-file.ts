// SPDX-License-Identifier: Apache-2.0
// Files that the user has named for a result to go to.
import { randomBytes } from 'node:crypto';
import { type FileHandle, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncDirectory } from './atomic-file.ts';
import { errnoOf, HrunError } from './errors.ts';

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
  if (place.special) await fill(path, await opened(path, place.path, 'w', mode), write);
  else await replace(path, place.path, mode, write);
}

async function replace(
  path: string,
  place: string,
  mode: number,
  write: (sink: Sink) => Promise<void>,
): Promise<void> {
  const temporary = `${place}.${randomBytes(6).toString('hex')}`;
  const file = await opened(path, temporary, 'wx', mode);
  try {
    await fill(path, file, write, true);
    await saying(path, async () => {
      await rename(temporary, place);
      await syncDirectory(dirname(place));
    });
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function fill(
  path: string,
  file: FileHandle,
  write: (sink: Sink) => Promise<void>,
  durable = false,
): Promise<void> {
  await using closing = file;
  await write((bytes) => saying(path, () => closing.writeFile(bytes)));
  if (durable) await saying(path, () => closing.sync());
}

async function opened(path: string, place: string, flags: string, mode: number): Promise<FileHandle> {
  return await saying(path, () => open(place, flags, mode));
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
  if (errno === 'ENOSPC' || errno === 'EDQUOT' || errno === 'EFBIG')
    return new HrunError('DISK_FULL', `no space left for ${path}`, { cause });
  return new HrunError('OUTPUT_FAILED', `${path} cannot be written: ${errno}`, { cause });
}
