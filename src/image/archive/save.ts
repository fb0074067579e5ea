// SPDX-License-Identifier: Apache-2.0
import type { Sink } from '../../base/output-file.ts';
import type { ImageStore } from '../store.ts';
import type { ImageToSave } from './image-to-save.ts';
import { saveDockerArchive } from './save-docker.ts';
import { saveLayout } from './save-layout.ts';
import { TarWriter } from './tar-writer.ts';

export type ArchiveFormat = 'docker-archive' | 'oci-archive';

/** Writes images as one archive; what they share is in it once. Throws STORE_CORRUPT when a layer is gone. */
export async function saveArchive(
  store: ImageStore,
  images: readonly ImageToSave[],
  format: ArchiveFormat,
  sink: Sink,
): Promise<void> {
  const tar = new TarWriter(sink);
  if (format === 'docker-archive') await saveDockerArchive(store, images, tar);
  else await saveLayout(store, images, tar);
  await tar.end();
}
