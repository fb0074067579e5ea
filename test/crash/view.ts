// SPDX-License-Identifier: Apache-2.0
// A store as its user sees it, read with hrun's own core; whatever is promised in it and not there is an error.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Digest } from '../../src/base/digest.ts';
import { matchesDigest } from '../../src/base/digest.ts';
import type { Root } from '../../src/base/root.ts';
import { containerDirectory, idOfName } from '../../src/container/index.ts';
import { checkStore } from '../../src/core/check-store.ts';
import { listContainers } from '../../src/core/list-containers.ts';
import {
  blobPath,
  type Image,
  layerPath,
  listImages,
  loadImage,
  openImageStore,
} from '../../src/image/index.ts';
import { fullName } from '../../src/registry/index.ts';
import type { CrashState } from './crash-states.ts';

/** What is compared: images with their names, containers by their names. */
export interface View {
  images: object[];
  containers: object[];
}

/** Files of a container that must be what its maker wrote. */
const CONTAINER_FILES = [
  'settings/config.json',
  'settings/vm.json',
  'settings/configure.bin',
  'settings/start.bin',
  'writable.ext4',
  'state.json',
];

/** Throws when something that is listed lacks a file or has a damaged one. `right` are the states without a power cut. */
export async function viewStore(
  root: Root,
  found: CrashState,
  right: readonly CrashState[],
  below: string,
): Promise<View> {
  using store = await openImageStore(root);
  const images = await listImages(store);
  for (const image of images) checkImage(root, image, right, below);
  const containers = await listContainers(root, { all: true });
  for (const { config } of containers) {
    const descriptor = { mediaType: '', digest: config.imageDigest as Digest, size: 0 };
    checkImage(root, await loadImage(store, [{ name: undefined, descriptor }]), right, below);
    if (idOfName(root, config.name) !== config.id)
      throw new Error(`the name ${config.name} is not the container's`);
    for (const file of CONTAINER_FILES)
      checkFile(join(containerDirectory(root, config.id), file), root, found, right, below);
  }
  const { damaged, findings } = await checkStore(root, { repair: false, quick: true });
  if (damaged) throw new Error(`hrun system check finds ${JSON.stringify(findings)}`);
  return {
    images: images.map((image) => ({
      id: image.id,
      names: [...image.tags, ...image.digests].map(fullName).sort(),
      manifest: image.descriptor.digest,
    })),
    containers: containers.map(({ config: { name, image }, state: { status } }) => ({ name, image, status })),
  };
}

function checkImage(root: Root, image: Image, right: readonly CrashState[], below: string): void {
  for (const { digest } of [image.descriptor, image.manifest.config, ...image.manifest.layers])
    if (!matchesDigest(readFileSync(blobPath(root, digest)), digest))
      throw new Error(`blob ${digest} is damaged`);
  for (const diffId of image.diffIds) {
    const path = layerPath(root, diffId);
    const hash = createHash('sha256').update(readFileSync(path)).digest('hex');
    if (!right.some((state) => contentHash(state, path, root, below) === hash))
      throw new Error(`${path} is damaged`);
  }
}

/** Large, so compared in the model: what was found is what was written from it. */
function checkFile(
  path: string,
  root: Root,
  found: CrashState,
  right: readonly CrashState[],
  below: string,
): void {
  const key = keyOf(path, root, below);
  const node = found.nodes.get(key);
  const known = right.flatMap((state) => state.nodes.get(key) ?? []);
  if (known.length === 0) return; // made after the power cut
  if (
    node?.kind === 'file' &&
    known.some((each) => each.kind === 'file' && each.pages.hash === node.pages.hash)
  )
    return;
  throw new Error(`${path} is ${node ? 'damaged' : 'missing'}`);
}

const contents = new WeakMap<object, string>();

function contentHash(state: CrashState, path: string, root: Root, below: string): string | undefined {
  const node = state.nodes.get(keyOf(path, root, below));
  if (node?.kind !== 'file') return undefined;
  const known = contents.get(node.pages);
  if (known !== undefined) return known;
  const whole = Buffer.alloc(node.pages.size);
  for (const [offset, bytes] of node.pages.extents) bytes.copy(whole, offset);
  const hash = createHash('sha256').update(whole).digest('hex');
  contents.set(node.pages, hash);
  return hash;
}

function keyOf(path: string, { dir }: Root, below: string): string {
  return join(below, path.slice(dir.length + 1));
}
