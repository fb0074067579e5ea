// SPDX-License-Identifier: Apache-2.0
import type { Root } from '../base/root.ts';
import { openImageStore, type Removal, removeImage, sweepStore } from '../image/index.ts';

export interface RemovalOptions {
  force: boolean;
  /** called for each name and image that is gone */
  done: (removal: Removal) => void;
  /** called for each image that could not be removed; the others still are */
  failed: (error: unknown) => void;
}

/** Removes names or images by Docker's rules (see removeImage), then the files that nothing needs any more. */
export async function removeImages(
  root: Root,
  texts: readonly string[],
  { force, done, failed }: RemovalOptions,
): Promise<void> {
  {
    using store = await openImageStore(root);
    for (const text of texts) {
      try {
        (await removeImage(store, text, force)).forEach(done);
      } catch (error) {
        failed(error);
      }
    }
  }
  await sweepStore(root);
}
