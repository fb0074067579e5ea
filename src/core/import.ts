// SPDX-License-Identifier: Apache-2.0
import { createReadStream } from 'node:fs';
import type { Digest } from '../base/digest.ts';
import { HrunError, systemMessage } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import {
  addImage,
  addLayer,
  layerDescriptor,
  openImageStore,
  recordImage,
  unpackedStream,
} from '../image/index.ts';
import type { ImageConfig, Platform } from '../oci/index.ts';
import { applyChanges } from './image-changes.ts';
import { newImageName } from './image-name.ts';

export interface ImportOptions {
  /** `repository[:tag]` of the new image */
  name: string | undefined;
  message: string;
  /** Dockerfile instructions */
  changes: readonly string[];
  platform: Platform;
}

/** Makes an image of one tar, plain or packed with gzip or zstd, and returns its ID. `source` names it in errors and history. */
export async function importImage(
  root: Root,
  source: string,
  chunks: AsyncIterable<Buffer>,
  options: ImportOptions,
): Promise<Digest> {
  const name = newImageName(options.name);
  const config = applyChanges({}, options.changes);
  using store = await openImageStore(root, { write: true });
  const layer = await addLayer(store, await unpackedStream(chunks, source), source);
  const created = new Date().toISOString();
  const { architecture, os, variant } = options.platform;
  const imageConfig: ImageConfig = {
    ...{ created, architecture, os, config },
    ...(variant && { variant }),
    rootfs: { type: 'layers', diff_ids: [layer.diffId] },
    history: [{ created, comment: options.message || `Imported from ${source}` }],
  };
  const id = await addImage(store, imageConfig, [layerDescriptor(layer)], name);
  recordImage(root, 'import', id);
  return id;
}

/** The bytes of a file; BAD_ARCHIVE when it cannot be read. */
export async function* fileBytes(path: string): AsyncGenerator<Buffer> {
  try {
    yield* createReadStream(path) as AsyncIterable<Buffer>;
  } catch (error) {
    throw new HrunError('BAD_ARCHIVE', `${path} cannot be read: ${systemMessage(error)}`, { cause: error });
  }
}
