// SPDX-License-Identifier: Apache-2.0
import { type Digest, digestOf } from '../base/digest.ts';
import {
  type Descriptor,
  type ImageConfig,
  type Manifest,
  OCI_CONFIG,
  OCI_LAYER_TAR,
  OCI_MANIFEST,
  parseImageConfig,
} from '../oci/index.ts';
import type { Reference } from '../registry/index.ts';
import { writeBlobFile } from './blob-store.ts';
import { assignNames, changeNames } from './names.ts';
import type { NewLayer } from './new-layer.ts';
import type { ImageStore } from './store.ts';

const DOCKER_LAYER = 'application/vnd.docker.image.rootfs.diff.tar';

/**
 * Puts an image of `layers` (lowest first) into the store and gives it its name; without one it can be found by its ID, which
 * is returned. The name is taken away from whichever image had it.
 */
export async function addImage(
  store: ImageStore,
  config: ImageConfig,
  layers: readonly Descriptor[],
  name: Reference | undefined,
): Promise<Digest> {
  const configBytes = Buffer.from(JSON.stringify(config));
  parseImageConfig(configBytes, 'the new image');
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: { mediaType: OCI_CONFIG, digest: digestOf(configBytes), size: configBytes.length },
    layers: layers.map(ociLayer),
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  const descriptor = { mediaType: OCI_MANIFEST, digest: digestOf(bytes), size: bytes.length };
  await writeBlobFile(store.root, manifest.config.digest, configBytes);
  await writeBlobFile(store.root, descriptor.digest, bytes);
  await changeNames(store.root, (entries) => assignNames(entries, descriptor, name ? [name] : []));
  return manifest.config.digest;
}

/** A layer made by addLayer, as a manifest has it. */
export function layerDescriptor({ digest, size }: NewLayer): Descriptor {
  return { mediaType: `${OCI_LAYER_TAR}+gzip`, digest, size };
}

/** An OCI manifest has OCI's layers: the same bytes under another name. */
function ociLayer(layer: Descriptor): Descriptor {
  const mediaType = layer.mediaType.startsWith(DOCKER_LAYER)
    ? `${OCI_LAYER_TAR}${layer.mediaType.slice(DOCKER_LAYER.length).replace('.', '+')}`
    : layer.mediaType;
  return { ...layer, mediaType };
}
