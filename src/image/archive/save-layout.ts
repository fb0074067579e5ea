// SPDX-License-Identifier: Apache-2.0
// oci-archive: an OCI image layout (image-spec image-layout.md) in a tar.
import { digestOf, digestParts } from '../../base/digest.ts';
import { type Descriptor, OCI_INDEX, OCI_LAYER_TAR, OCI_MANIFEST, REF_NAME } from '../../oci/index.ts';
import { fullName, type Reference } from '../../registry/index.ts';
import { readBlobFile } from '../blob-store.ts';
import type { Image } from '../image.ts';
import { type LayerBlob, openBlob } from '../layer.ts';
import type { ImageStore } from '../store.ts';
import { blobToSave, type ImageToSave } from './image-to-save.ts';
import { compressionOf } from './open.ts';
import type { TarWriter } from './tar-writer.ts';

export async function saveLayout(
  store: ImageStore,
  images: readonly ImageToSave[],
  tar: TarWriter,
): Promise<void> {
  await tar.addBytes('oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}'));
  const manifests: Descriptor[] = [];
  for (const { image, names } of images) {
    const descriptor = await addImage(store, image, tar);
    const tagged = names.filter((name) => !name.digest);
    manifests.push(...(tagged.length > 0 ? tagged.map((name) => named(descriptor, name)) : [descriptor]));
  }
  const index = { schemaVersion: 2, mediaType: OCI_INDEX, manifests };
  await tar.addBytes('index.json', Buffer.from(JSON.stringify(index)));
}

/** containerd and Docker read the full name from an annotation of their own, others from ref.name. */
function named(descriptor: Descriptor, name: Reference): Descriptor {
  const full = fullName(name);
  return { ...descriptor, annotations: { 'io.containerd.image.name': full, [REF_NAME]: full } };
}

/** Adds layers, config and manifest; the descriptor of the manifest that describes what was added. */
async function addImage(store: ImageStore, image: Image, tar: TarWriter): Promise<Descriptor> {
  const layers: Descriptor[] = [];
  for (const [index, layer] of image.manifest.layers.entries()) {
    const blob = await blobToSave(store, image, index);
    await using handle = await openBlob(store.root, blob.digest);
    if (!tar.has(blobName(blob))) await tar.addFile(blobName(blob), handle);
    layers.push(blob.digest === layer.digest ? layer : await replacement(blob, await compressionOf(handle)));
  }
  await addSmall(tar, image.id, await readBlobFile(store.root, image.id));
  if (layers.every((layer, index) => layer === image.manifest.layers[index])) {
    await addSmall(tar, image.descriptor.digest, await readBlobFile(store.root, image.descriptor.digest));
    return image.descriptor;
  }
  return await addRewritten(image, layers, tar);
}

/** The same image with other packings of some layers: the manifest changes, the image ID does not. */
async function addRewritten(image: Image, layers: Descriptor[], tar: TarWriter): Promise<Descriptor> {
  const manifest = { ...image.manifest, mediaType: OCI_MANIFEST, layers };
  const bytes = Buffer.from(JSON.stringify(manifest));
  const digest = digestOf(bytes);
  await addSmall(tar, digest, bytes);
  return { mediaType: OCI_MANIFEST, digest, size: bytes.length };
}

async function replacement({ digest, size }: LayerBlob, compression: string): Promise<Descriptor> {
  return {
    mediaType: compression === 'none' ? OCI_LAYER_TAR : `${OCI_LAYER_TAR}+${compression}`,
    digest,
    size,
  };
}

async function addSmall(tar: TarWriter, digest: Descriptor['digest'], bytes: Buffer): Promise<void> {
  const name = blobName({ digest });
  if (!tar.has(name)) await tar.addBytes(name, bytes);
}

function blobName({ digest }: Pick<Descriptor, 'digest'>): string {
  const { algorithm, hex } = digestParts(digest);
  return `blobs/${algorithm}/${hex}`;
}
