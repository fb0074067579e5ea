// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../base/digest.ts';
import { HrunError } from '../base/errors.ts';
import {
  type Descriptor,
  diffIdsOf,
  type ImageConfig,
  type Manifest,
  parseImageConfig,
  parseManifest,
} from '../oci/index.ts';
import type { Reference } from '../registry/index.ts';
import { blobSize, fileSize, readBlobFile } from './blob-store.ts';
import { layerPath } from './layer.ts';
import { type NamedManifest, readNames } from './names.ts';
import type { ImageStore } from './store.ts';

/** An image in the store, as the commands and `run` use it. */
export interface Image {
  /** the digest of its config: what Docker calls the image ID */
  readonly id: Digest;
  /** the manifest's descriptor; its digest is what a container notes as `imageDigest` */
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
  /** lowest layer first */
  readonly diffIds: readonly Digest[];
  /** its names with a tag, `docker.io/library/debian:12`, in the order they were given */
  readonly tags: readonly Reference[];
  /** its names with a digest, as a registry gave it */
  readonly digests: readonly Reference[];
}

/** All images, the newest first; one image under several names is one. */
export async function listImages(store: ImageStore): Promise<Image[]> {
  const entries = await readNames(store.root);
  const groups = Map.groupBy(entries, (entry) => entry.descriptor.digest);
  const images = await Promise.all([...groups.values()].map((group) => loadImage(store, group)));
  return mergeById(images).sort((a, b) => createdMs(b) - createdMs(a));
}

/** Reads the image that all of `entries` name. */
export async function loadImage({ root }: ImageStore, entries: readonly NamedManifest[]): Promise<Image> {
  const { descriptor } = entries[0]!;
  const where = `manifest ${descriptor.digest}`;
  const parsed = parseManifest(await readBlobFile(root, descriptor.digest), descriptor.mediaType, where);
  if (parsed.kind !== 'manifest') throw new HrunError('STORE_CORRUPT', `${where} is an index, not an image`);
  const { manifest } = parsed;
  const config = parseImageConfig(
    await readBlobFile(root, manifest.config.digest),
    `config ${manifest.config.digest}`,
  );
  const names = entries.flatMap(({ name }) => (name ? [name] : []));
  return {
    id: manifest.config.digest,
    descriptor,
    manifest,
    config,
    diffIds: diffIdsOf(config, manifest.layers.length, where),
    tags: names.filter((name) => !name.digest),
    digests: names.filter((name) => name.digest),
  };
}

/** The image of a manifest in the store, with or without a name; a container keeps its own. */
export async function imageOfManifest(store: ImageStore, digest: Digest): Promise<Image> {
  const size = (await blobSize(store.root, digest)) ?? 0;
  const bytes = await readBlobFile(store.root, digest);
  const { mediaType } = parseManifest(bytes, undefined, `manifest ${digest}`);
  return await loadImage(store, [{ name: undefined, descriptor: { mediaType, digest, size } }]);
}

/** Bytes that the image's layers take unpacked. */
export async function imageSize({ root }: ImageStore, image: Image): Promise<number> {
  const unpacked = image.diffIds.map((diffId) => fileSize(layerPath(root, diffId)));
  const sizes = await Promise.all(
    unpacked.map(async (size, i) => (await size) ?? (await packedSize(root, image, i))),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** When the image was made, in milliseconds since the epoch; 0 when it does not say. */
export function createdMs(image: Image): number {
  return Date.parse(image.config.created ?? '') || 0;
}

async function packedSize(root: ImageStore['root'], image: Image, index: number): Promise<number> {
  const { digest, size } = image.manifest.layers[index]!;
  return (await blobSize(root, digest)) ?? size;
}

/** The same config can stand in several manifests, with layers packed in different ways: it is one image. */
function mergeById(images: Image[]): Image[] {
  return [...Map.groupBy(images, (image) => image.id).values()].map((same) => ({
    ...same[0]!,
    tags: same.flatMap((image) => image.tags),
    digests: same.flatMap((image) => image.digests),
  }));
}
