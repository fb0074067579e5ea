// SPDX-License-Identifier: Apache-2.0
// An image archive as a set of files to read at random: a directory, or a tar in an open file.
import { readSync } from 'node:fs';
import { constants, type FileHandle, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf, HrunError } from '../../base/errors.ts';
import type { LayerSource } from '../../native/index.ts';
import { indexTar, type TarIndex } from './tar-index.ts';

export interface Archive extends AsyncDisposable {
  /** what the user called it */
  readonly where: string;
  /** The bytes of a file in it, where they lie; undefined when there is no such file. Valid until the archive is closed. */
  find(name: string): Promise<LayerSource | undefined>;
}

/** A directory such as an OCI image layout. `name`s come from the image: they never leave the directory. */
export function directoryArchive(path: string): Archive {
  const opened = new AsyncDisposableStack();
  return {
    where: path,
    async find(name) {
      if (!isPlainPath(name)) return undefined;
      const handle = await openIfThere(join(path, name));
      if (!handle) return undefined;
      opened.use(handle);
      return { fd: handle.fd, offset: 0, length: (await handle.stat()).size };
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** A tar in `handle`, which belongs to the archive from now on. Throws BAD_ARCHIVE when it is no tar. */
export async function tarArchive(handle: FileHandle, where: string): Promise<Archive> {
  await using owner = new AsyncDisposableStack();
  owner.use(handle);
  const index: TarIndex = await indexTar(handle, (await handle.stat()).size, where);
  const held = owner.move();
  return {
    where,
    async find(name) {
      const entry = index.find(name);
      return entry && { fd: handle.fd, offset: entry.offset, length: entry.size };
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

/** True for an existing directory. */
export async function isDirectory(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}

/** A whole small file of the archive. Throws BAD_ARCHIVE when it is missing or larger than `limit`. */
export async function readMember(archive: Archive, name: string, limit: number): Promise<Buffer> {
  const bytes = await readMemberIfThere(archive, name, limit);
  if (bytes) return bytes;
  throw new HrunError('BAD_ARCHIVE', `${archive.where} lacks ${name.slice(0, 150)}`);
}

export async function readMemberIfThere(
  archive: Archive,
  name: string,
  limit: number,
): Promise<Buffer | undefined> {
  const source = await archive.find(name);
  if (!source) return undefined;
  if (source.length > limit) {
    throw new HrunError('BAD_ARCHIVE', `${archive.where}: ${name.slice(0, 150)} has ${source.length} bytes`);
  }
  return readSource(source);
}

function readSource({ fd, offset, length }: LayerSource): Buffer {
  const buffer = Buffer.alloc(length);
  let done = 0;
  while (done < length) {
    const count = readSync(fd, buffer, done, length - done, offset + done);
    if (count === 0) break;
    done += count;
  }
  return buffer.subarray(0, done);
}

function isPlainPath(name: string): boolean {
  return (
    name !== '' && !name.startsWith('/') && !name.split('/').some((part) => part === '..' || part === '')
  );
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    if ((await handle.stat()).isFile()) return handle;
    await handle.close();
    return undefined;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}
