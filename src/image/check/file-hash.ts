// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { type Digest, digestParts } from '../../base/digest.ts';
import { errnoOf } from '../../base/errors.ts';

/** True when a blob's file has the content that its name says; undefined when there is none. */
export async function hasContent(path: string, digest: Digest): Promise<boolean | undefined> {
  const { algorithm, hex } = digestParts(digest);
  const found = await hashFile(path, algorithm);
  return found === undefined ? undefined : found === hex;
}

/** Hash of a file's content in hex; undefined when there is none. */
export async function hashFile(path: string, algorithm = 'sha256'): Promise<string | undefined> {
  try {
    await using file = await open(path, 'r');
    return await hashHandle(file, algorithm);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

const CHUNK_BYTES = 1024 ** 2;

/** Hash of an open file's content, from its beginning. */
export async function hashHandle(file: FileHandle, algorithm = 'sha256'): Promise<string> {
  const hash = createHash(algorithm);
  const buffer = Buffer.alloc(CHUNK_BYTES);
  for (let at = 0; ; ) {
    const { bytesRead } = await file.read(buffer, 0, CHUNK_BYTES, at);
    if (bytesRead === 0) return hash.digest('hex');
    hash.update(buffer.subarray(0, bytesRead));
    at += bytesRead;
  }
}
