// SPDX-License-Identifier: Apache-2.0
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, digestParts } from '../base/digest.ts';
import { hasCode } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import { inStore } from '../base/store-error.ts';
import { native } from '../native/index.ts';
import { blobSize } from './blob-store.ts';
import { type Image, loadImage } from './image.ts';
import { linkedBlob } from './layer.ts';
import { type NamedManifest, readNames } from './names.ts';
import { mergedHex, topName } from './root-disks.ts';
import { ImageStore, storeLockPath } from './store.ts';
import { imageUsers } from './users.ts';

/**
 * Removes every blob and layer that no name and no container needs. Does so only when nobody else has the store
 * open, and nothing when a manifest cannot be read: what stays is taken by the next sweep. Resolves
 * with whether it swept.
 */
export async function sweepStore(root: Root): Promise<boolean> {
  return await inStore(root.dir, async () => {
    const lock = native().lockFile(storeLockPath(root), { shared: false, wait: false });
    if (!lock) return false;
    using store = new ImageStore(root, lock);
    return await sweep(store);
  });
}

async function sweep(store: ImageStore): Promise<boolean> {
  const unneeded = await unneededFiles(store);
  for (const path of unneeded ?? []) await rm(path, { force: true });
  return unneeded !== undefined;
}

/** Every blob and layer that no name and no container needs; undefined when a manifest cannot be read. */
export async function unneededFiles(store: ImageStore): Promise<string[] | undefined> {
  const images = await neededImages(store);
  if (!images) return undefined;
  const { root } = store;
  const blobs = await neededBlobs(root, images);
  const layers = neededLayers(images);
  const unneeded: string[] = [];
  for (const algorithm of await readdir(join(root.images, 'blobs'))) {
    const dir = join(root.images, 'blobs', algorithm);
    unneeded.push(...(await filesExcept(dir, (name) => blobs.has(`${algorithm}:${name}`))));
  }
  unneeded.push(...(await filesExcept(root.layers, (name) => layers.has(name.slice(0, name.indexOf('.'))))));
  return unneeded;
}

/** The images that names and containers name; undefined when one, or the names, cannot be read. */
async function neededImages(store: ImageStore): Promise<Image[] | undefined> {
  const used: NamedManifest[] = (await imageUsers(store.root)).map(({ imageDigest }) => ({
    name: undefined,
    descriptor: { mediaType: '', digest: imageDigest, size: 0 },
  }));
  try {
    const named = await readNames(store.root);
    return await Promise.all([...named, ...used].map((entry) => loadImage(store, [entry])));
  } catch (error) {
    if (hasCode(error, 'STORE_CORRUPT') || hasCode(error, 'BAD_IMAGE')) return undefined;
    throw error;
  }
}

async function neededBlobs(root: Root, images: Image[]): Promise<Set<string>> {
  const needed = new Set<string>();
  for (const { descriptor, manifest, diffIds } of images) {
    needed.add(descriptor.digest).add(manifest.config.digest);
    for (const [index, layer] of manifest.layers.entries()) {
      needed.add(layer.digest);
      if ((await blobSize(root, layer.digest)) !== undefined) continue;
      const other = await linkedBlob(root, diffIds[index]!);
      if (other) needed.add(other);
    }
  }
  return needed;
}

/** The first parts of file names in layers/: each layer, and each stack of lowest layers that was merged. */
function neededLayers(images: Image[]): Set<string> {
  const needed = new Set<string>();
  for (const { diffIds } of images) {
    for (const [index, diffId] of diffIds.entries()) {
      needed.add(digestParts(diffId as Digest).hex);
      needed.add(`merged-${mergedHex(diffIds.slice(0, index + 1))}`);
      needed.add(topName(diffIds, index)).add(topName(diffIds, index + 1));
    }
  }
  return needed;
}

async function filesExcept(dir: string, needed: (name: string) => boolean): Promise<string[]> {
  return (await readdir(dir)).filter((name) => !needed(name)).map((name) => join(dir, name));
}
