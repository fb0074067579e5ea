// SPDX-License-Identifier: Apache-2.0
import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Digest, digestParts, isDigest, matchesDigest } from '../base/digest.ts';
import { makeDirectory } from '../base/directory.ts';
import { errnoOf, HrunError } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import { inStore } from '../base/store-error.ts';
import { replaceFile } from './scratch.ts';

/** Where the blob `digest` is kept, image-spec image-layout.md. */
export function blobPath(root: Root, digest: Digest): string {
  if (!isDigest(digest)) throw new Error(`not a digest: ${digest}`);
  const { algorithm, hex } = digestParts(digest);
  return join(root.images, 'blobs', algorithm, hex);
}

/** Bytes of a blob, or undefined when it is not there. */
export async function blobSize(root: Root, digest: Digest): Promise<number | undefined> {
  const path = blobPath(root, digest);
  return await inStore(path, () => fileSize(path));
}

/** A small blob (manifest, config), verified again. Throws STORE_CORRUPT when it is missing or damaged. */
export async function readBlobFile(root: Root, digest: Digest): Promise<Buffer> {
  const path = blobPath(root, digest);
  const bytes = await inStore(path, () => readIfThere(path));
  if (bytes && matchesDigest(bytes, digest)) return bytes;
  throw new HrunError('STORE_CORRUPT', `${path} is ${bytes ? 'damaged' : 'missing'}`, {
    hint: 'remove the image that needs it (hrun rmi -f) and pull it again',
  });
}

/** Writes a small blob that the caller has verified, unless it is there. */
export async function writeBlobFile(root: Root, digest: Digest, bytes: Uint8Array): Promise<void> {
  const path = blobPath(root, digest);
  await inStore(path, async () => {
    if ((await fileSize(path)) === bytes.length && matchesDigest(await readFile(path), digest)) return;
    await makeDirectory(dirname(path));
    await replaceFile(root, path, bytes);
  });
}

/** Bytes of a regular file, undefined when there is none. */
export async function fileSize(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** A file's content, undefined when there is none. */
export async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
