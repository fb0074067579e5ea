// SPDX-License-Identifier: Apache-2.0
import type { Root } from '../base/root.ts';
import { openImageStore, type Removal, recordImage, removeImage, sweepStore } from '../image/index.ts';

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
        for (const removal of await removeImage(store, text, force)) {
          record(root, removal);
          done(removal);
        }
      } catch (error) {
        failed(error);
      }
    }
  }
  await sweepStore(root);
}

function record(root: Root, removal: Removal): void {
  if (removal.kind === 'deleted') recordImage(root, 'delete', removal.id);
  else recordImage(root, 'untag', removal.name);
}
