// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../../base/errors.ts';
import type { Reference } from '../../registry/index.ts';
import type { Image } from '../image.ts';
import { findLayerBlob, type LayerBlob } from '../layer.ts';
import type { ImageStore } from '../store.ts';

/** An image to save and the names to save with it. */
export interface ImageToSave {
  image: Image;
  names: Reference[];
}

/** The blob of layer `index` of the image: the manifest's own, or another that unpacks to the same. */
export async function blobToSave(store: ImageStore, image: Image, index: number): Promise<LayerBlob> {
  const { digest } = image.manifest.layers[index]!;
  const blob = await findLayerBlob(store.root, image.diffIds[index]!, digest);
  if (blob) return blob;
  throw new HrunError('STORE_CORRUPT', `layer ${digest} is missing from the store`, {
    hint: 'pull or load the image again',
  });
}
