// SPDX-License-Identifier: Apache-2.0

import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncDirectory } from '../base/atomic-file.ts';
import { inStore } from '../base/store-error.ts';
import {
  type ArchiveFormat,
  findImage,
  type ImageStore,
  type ImageToSave,
  type Sink,
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
  const images = await imagesToSave(store, texts);
  const temporary = `${path}.${randomBytes(6).toString('hex')}`;
  await inStore(path, async () => {
    try {
      await using file = await open(temporary, 'wx', 0o644);
      await saveArchive(store, images, format, (bytes) => file.writeFile(bytes));
      await file.sync();
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    await syncDirectory(dirname(path));
  });
}

/** Saves images as an archive through `sink`, which takes the bytes in order. */
export async function saveImages(
  store: ImageStore,
  texts: readonly string[],
  format: ArchiveFormat,
  sink: Sink,
): Promise<void> {
  await saveArchive(store, await imagesToSave(store, texts), format, sink);
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
