// SPDX-License-Identifier: Apache-2.0
import { createReadStream, fstatSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { errnoOf, HrunError, systemMessage } from '../../base/errors.ts';
import { inStore } from '../../base/store-error.ts';
import { createScratch } from '../scratch.ts';
import type { ImageStore } from '../store.ts';
import { type Archive, directoryArchive, isDirectory, tarArchive } from './archive.ts';

/** Stands for standard input. */
export const STDIN = '-';

/** A packed archive may unpack to at most this many bytes. */
const MAX_UNPACKED_BYTES = 256 * 1024 ** 3;

/**
 * Opens what `hrun load` was given: a directory, a tar, a tar packed with gzip or zstd, or any of these tars on
 * standard input. What cannot be read at random goes into the store's tmp/ first. Throws BAD_ARCHIVE.
 */
export async function openArchive(store: ImageStore, path: string): Promise<Archive> {
  if (path !== STDIN && (await isDirectory(path))) return directoryArchive(path);
  const where = path === STDIN ? 'standard input' : path;
  if (path === STDIN && !fstatSync(0).isFile()) {
    return await spool(store, createReadStream('', { fd: 0, autoClose: false }), where);
  }
  // A file redirected to standard input is a file: it can be read at random through its own descriptor.
  const handle = await openInput(path === STDIN ? '/proc/self/fd/0' : path);
  const isFile = (await handle.stat()).isFile();
  if (isFile && (await compressionOf(handle)) === 'none') return await tarArchive(handle, where);
  try {
    const input = handle.createReadStream({ ...(isFile && { start: 0 }), autoClose: false });
    return await spool(store, input, where);
  } finally {
    await handle.close();
  }
}

async function openInput(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (error) {
    throw new HrunError('BAD_ARCHIVE', `${path} cannot be read: ${systemMessage(error)}`, { cause: error });
  }
}

/** Writes the input, unpacked, into a scratch file and opens that. The file lives as long as the archive. */
async function spool(store: ImageStore, input: Readable, where: string): Promise<Archive> {
  return await inStore(store.root.tmp, async () => {
    await using stack = new AsyncDisposableStack();
    const scratch = stack.use(await createScratch(store.root));
    let total = 0;
    for await (const chunk of await unpackedStream(input, where)) {
      total += chunk.length;
      if (total > MAX_UNPACKED_BYTES)
        throw new HrunError('LIMIT_EXCEEDED', `${where} unpacks to more than ${MAX_UNPACKED_BYTES} bytes`);
      await scratch.handle.writeFile(chunk);
    }
    const archive = await tarArchive(await open(scratch.path, 'r'), where);
    stack.use(archive);
    const held = stack.move();
    return { ...archive, [Symbol.asyncDispose]: () => held.disposeAsync() };
  });
}

/** The input's chunks, with gzip or zstd taken off if it begins with their magic. Throws BAD_ARCHIVE where they are damaged. */
export async function unpackedStream(
  input: AsyncIterable<Buffer>,
  where: string,
): Promise<AsyncIterable<Buffer>> {
  const chunks = input[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let head = Buffer.alloc(0);
  while (head.length < MAGIC_BYTES) {
    const next = await chunks.next();
    if (next.done) break;
    head = Buffer.concat([head, next.value]);
  }
  const all = Readable.from(prepend(head, chunks), { objectMode: false });
  const compression = compressionFrom(head);
  if (compression === 'none') return all;
  const { createGunzip, createZstdDecompress } = await import('node:zlib');
  const unpack = compression === 'gzip' ? createGunzip() : createZstdDecompress();
  all.on('error', (error) => unpack.destroy(error));
  return corruptAsBadArchive(all.pipe(unpack), where);
}

async function* prepend(head: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  if (head.length > 0) yield head;
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
}

async function* corruptAsBadArchive(chunks: AsyncIterable<Buffer>, where: string): AsyncGenerator<Buffer> {
  try {
    yield* chunks;
  } catch (error) {
    if (!errnoOf(error)?.startsWith('Z') && !errnoOf(error)?.startsWith('ERR_ZSTD')) throw error;
    throw new HrunError('BAD_ARCHIVE', `${where} is damaged: ${(error as Error).message}`, { cause: error });
  }
}

export type Compression = 'none' | 'gzip' | 'zstd';

const MAGIC_BYTES = 4;

/** How a file is packed, by its first bytes. */
export function compressionFrom(head: Buffer): Compression {
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip';
  if (head.length >= MAGIC_BYTES && head.readUInt32LE(0) === 0xfd2fb528) return 'zstd';
  return 'none';
}

/** How the file in `handle` is packed. */
export async function compressionOf(handle: FileHandle): Promise<Compression> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(MAGIC_BYTES), 0, MAGIC_BYTES, 0);
  return compressionFrom(buffer.subarray(0, bytesRead));
}
