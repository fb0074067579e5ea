// SPDX-License-Identifier: Apache-2.0
import { type ImageStore, type LoadedImage, loadArchive, openArchive, recordImage } from '../image/index.ts';
import { HOST_PLATFORM, type Platform } from '../oci/index.ts';

/** Loads all images of an archive: a file, a directory, or `-` for standard input. */
export async function loadImages(
  store: ImageStore,
  path: string,
  platform: Platform = HOST_PLATFORM,
): Promise<LoadedImage[]> {
  await using archive = await openArchive(store, path);
  const loaded = await loadArchive(store, archive, platform);
  for (const { id } of loaded) recordImage(store.root, 'load', id);
  return loaded;
}
