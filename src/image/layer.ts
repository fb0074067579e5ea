// SPDX-License-Identifier: Apache-2.0
// Layers: for each diffID one EROFS image, and a link to the blob that it was made from.

import { type FileHandle, open, readlink, rename, rm, symlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { syncDirectory } from '../base/atomic-file.ts';
import { type Digest, digestParts, isDigest } from '../base/digest.ts';
import { errnoOf } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import { native } from '../native/index.ts';
import { blobPath, blobSize, fileSize } from './blob-store.ts';
import { UNFINISHED_LINK } from './scratch.ts';

/** A layer's blob in the store. */
export interface LayerBlob {
  digest: Digest;
  /** bytes */
  size: number;
}

/** Where the EROFS image of a layer is kept: named by what it unpacks to and by the converter's version. */
export function layerPath(root: Root, diffId: Digest): string {
  return join(root.layers, `${hexOf(diffId)}.v${native().converterVersion}.erofs`);
}

/** The lock file of whoever makes that layer. */
export function layerLockPath(root: Root, diffId: Digest): string {
  return join(root.tmp, `layer-${hexOf(diffId)}`);
}

export async function hasLayer(root: Root, diffId: Digest): Promise<boolean> {
  return (await fileSize(layerPath(root, diffId))) !== undefined;
}

/** A blob in the store that unpacks to `diffId`: `preferred` if it is there, else the one the layer was made from. */
export async function findLayerBlob(
  root: Root,
  diffId: Digest,
  preferred?: Digest,
): Promise<LayerBlob | undefined> {
  for (const digest of [preferred, await linkedBlob(root, diffId)]) {
    const size = digest && (await blobSize(root, digest));
    if (digest && size !== undefined) return { digest, size };
  }
  return undefined;
}

/** The digest that `layers/<hex>.blob` names, whether the blob is there or not. */
export async function linkedBlob(root: Root, diffId: Digest): Promise<Digest | undefined> {
  try {
    const [algorithm, hex] = (await readlink(linkPath(root, diffId))).split('/').slice(-2);
    const digest = `${algorithm}:${hex}`;
    return isDigest(digest) ? digest : undefined;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'EINVAL') return undefined;
    throw error;
  }
}

/** Notes that `blob` unpacks to `diffId`. Replaces the link atomically. Only while holding the layer's lock file. */
export async function linkBlob(root: Root, diffId: Digest, blob: Digest): Promise<void> {
  const { algorithm, hex } = digestParts(blob);
  const temporary = `${layerLockPath(root, diffId)}${UNFINISHED_LINK}`;
  await rm(temporary, { force: true });
  await symlink(join('..', basename(root.images), 'blobs', algorithm, hex), temporary);
  await rename(temporary, linkPath(root, diffId));
  await syncDirectory(root.layers);
}

/** Opens a blob for reading. */
export function openBlob(root: Root, digest: Digest): Promise<FileHandle> {
  return open(blobPath(root, digest), 'r');
}

function linkPath(root: Root, diffId: Digest): string {
  return join(root.layers, `${hexOf(diffId)}.blob`);
}

function hexOf(diffId: Digest): string {
  const { algorithm, hex } = digestParts(diffId);
  if (algorithm !== 'sha256' || !isDigest(diffId)) throw new Error(`not a diffID: ${diffId}`);
  return hex;
}
