// SPDX-License-Identifier: Apache-2.0
import { type Sink, writeOutputFile } from '../base/output-file.ts';
import {
  type ArchiveFormat,
  findImage,
  type ImageStore,
  type ImageToSave,
  recordImage,
  saveArchive,
} from '../image/index.ts';

/**
 * Saves images as an archive in the file `path`, which appears only when it is whole. A name saves that name,
 * an ID no name.
 */
export async function saveImagesTo(
  store: ImageStore,
  texts: readonly string[],
  format: ArchiveFormat,
  path: string,
): Promise<void> {
  await writeOutputFile(path, 0o644, (sink) => saveImages(store, texts, format, sink));
}

/** Saves images as an archive through `sink`, which takes the bytes in order. */
export async function saveImages(
  store: ImageStore,
  texts: readonly string[],
  format: ArchiveFormat,
  sink: Sink,
): Promise<void> {
  const images = await imagesToSave(store, texts);
  await saveArchive(store, images, format, sink);
  recordSaved(store, images);
}

function recordSaved({ root }: ImageStore, images: readonly ImageToSave[]): void {
  for (const { image } of images) recordImage(root, 'save', image.id);
}

/** One entry per image, with the names that were asked for; the same image asked for twice is saved once. */
async function imagesToSave(store: ImageStore, texts: readonly string[]): Promise<ImageToSave[]> {
  const byId = new Map<string, ImageToSave>();
  for (const text of texts) {
    const { image, name } = await findImage(store, text);
    const entry = byId.get(image.id) ?? { image, names: [] };
    byId.set(image.id, entry);
    if (name && !name.digest) entry.names.push(name);
  }
  return [...byId.values()];
}
