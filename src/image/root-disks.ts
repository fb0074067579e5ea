// SPDX-License-Identifier: Apache-2.0
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, digestOf, digestParts } from '../base/digest.ts';
import { HrunError } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import { inStore } from '../base/store-error.ts';
import { type LayerSource, native } from '../native/index.ts';
import { fileSize } from './blob-store.ts';
import type { Image } from './image.ts';
import { ensureLayer, inLayer } from './ingest.ts';
import { findLayerBlob, hasLayer, layerPath, openBlob } from './layer.ts';
import { withLockFile } from './lock.ts';
import { createScratch, type ScratchFile } from './scratch.ts';
import type { ImageStore } from './store.ts';
import { topLayer } from './top-layer.ts';

/**
 * The EROFS images to stack for `image`, lowest first, at most `maxDisks` (at least 1) of them; none for an image without
 * layers. What lies too deep is merged into one image, which is kept. They stay as long as `store` is
 * open or a container names the image. Throws STORE_CORRUPT when a layer is gone.
 */
export async function rootDisks(store: ImageStore, image: Image, maxDisks: number): Promise<string[]> {
  if (!Number.isInteger(maxDisks) || maxDisks < 1) throw new Error(`maxDisks is ${maxDisks}`);
  const { diffIds } = image;
  for (let merged = diffIds.length > maxDisks ? diffIds.length - maxDisks + 1 : 0; ; ) {
    const disks = await stackOf(store, image, merged);
    const { merge, lowest, top } = await topLayer(store.root, disks, topName(diffIds, merged));
    const stack = [...disks.slice(lowest), ...(top ? [top] : [])];
    if (merge === 0 && stack.length <= maxDisks) return stack;
    // The top layer needs room, or hard links go from one layer to another.
    const wanted = merge === 0 ? 2 : merge;
    merged = merged === 0 ? wanted : merged + wanted - 1;
  }
}

/** The lowest `merged` layers as one image, then the others. */
async function stackOf(store: ImageStore, image: Image, merged: number): Promise<string[]> {
  const bottom = merged > 0 ? [await mergedDisk(store, image, merged)] : [];
  const rest = image.diffIds
    .slice(merged)
    .map((diffId, index) => layerDisk(store, image, diffId, merged + index));
  return [...bottom, ...(await Promise.all(rest))];
}

/** Names what goes on top of an image's layers when its lowest `merged` are one. */
export function topName(diffIds: readonly Digest[], merged: number): string {
  return `top-${mergedHex(diffIds)}-${merged}`;
}

/** Where the image of several lowest layers as one is kept. */
export function mergedPath(root: Root, diffIds: readonly Digest[]): string {
  return join(root.layers, `merged-${mergedHex(diffIds)}.v${native().converterVersion}.erofs`);
}

/** Names a stack of layers: SHA-256 of their diffIDs, one per line, lowest first. */
export function mergedHex(diffIds: readonly Digest[]): string {
  return digestParts(digestOf(diffIds.map((diffId) => `${diffId}\n`).join(''))).hex;
}

async function layerDisk(store: ImageStore, image: Image, diffId: Digest, index: number): Promise<string> {
  if (!(await hasLayer(store.root, diffId))) {
    const blob = image.manifest.layers[index]!;
    await ensureLayer(store, { diffId, blob }, () => {
      throw layerGone(blob.digest);
    });
  }
  return layerPath(store.root, diffId);
}

async function mergedDisk(store: ImageStore, image: Image, count: number): Promise<string> {
  const { root } = store;
  const diffIds = image.diffIds.slice(0, count);
  const path = mergedPath(root, diffIds);
  return await inStore(root.layers, async () => {
    if ((await fileSize(path)) !== undefined) return path;
    const lockPath = join(root.tmp, `merged-${mergedHex(diffIds)}`);
    await withLockFile(lockPath, async () => {
      if ((await fileSize(path)) === undefined) await merge(store, image, count, path);
    });
    return path;
  });
}

async function merge(store: ImageStore, image: Image, count: number, path: string): Promise<void> {
  await using scratch = await createScratch(store.root);
  await mergeInto(store, image, count, scratch);
  await scratch.commit(path);
}

/** Writes the lowest `count` layers of an image as one. Throws STORE_CORRUPT when a blob is gone. */
export async function mergeInto(
  store: ImageStore,
  image: Image,
  count: number,
  output: ScratchFile,
): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const diffIds = image.diffIds.slice(0, count);
  const sources: LayerSource[] = [];
  for (const [index, diffId] of diffIds.entries()) {
    const wanted = image.manifest.layers[index]!.digest;
    const blob = await findLayerBlob(store.root, diffId, wanted);
    if (!blob) throw layerGone(wanted);
    const handle: FileHandle = stack.use(await openBlob(store.root, blob.digest));
    sources.push({ fd: handle.fd, offset: 0, length: blob.size });
  }
  await inLayer(diffIds.at(-1)!, () => native().mergeLayers(sources, { outputFd: output.fd, bottom: true }));
}

function layerGone(digest: Digest): HrunError {
  return new HrunError('STORE_CORRUPT', `layer ${digest} is missing from the store`, {
    hint: 'pull or load the image again',
  });
}
