// SPDX-License-Identifier: Apache-2.0
import type { Root } from '../base/root.ts';
import type { ContainerConfig } from '../container/index.ts';
import { imageSize, listImages, openImageStore } from '../image/index.ts';
import { writableSize } from './allocated.ts';

/** Docker's two sizes of a container, in bytes. */
export interface ContainerSize {
  /** what it has written: its writable disk, as it lies on the host's */
  rw: number;
  /** that and its image, unpacked; an image that was removed counts nothing */
  rootFs: number;
}

/** The sizes of containers, in their order. */
export async function containerSizes(
  root: Root,
  configs: readonly ContainerConfig[],
): Promise<ContainerSize[]> {
  using store = await openImageStore(root);
  const wanted = new Set<string>(configs.map(({ imageDigest }) => imageDigest));
  const images = (await listImages(store)).filter(({ descriptor }) => wanted.has(descriptor.digest));
  const sizes = new Map<string, number>();
  for (const image of images) sizes.set(image.descriptor.digest, await imageSize(store, image));
  return configs.map(({ id, imageDigest }) => {
    const rw = writableSize(root, id);
    return { rw, rootFs: rw + (sizes.get(imageDigest) ?? 0) };
  });
}
