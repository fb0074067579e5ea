// SPDX-License-Identifier: Apache-2.0
import type { Root } from '../base/root.ts';
import { type Image, type ImageStore, layerPath, openImageStore } from '../image/index.ts';
import { listVolumes } from '../volume/index.ts';
import { allocatedBytes } from './allocated.ts';
import { type ContainerSize, containerSizes } from './container-size.ts';
import { volumeSize } from './disk-usage.ts';
import { type ImageRow, listImageRows } from './images.ts';
import { type ListedContainer, listContainers } from './list-containers.ts';

/** An image under one of its names; sizes are bytes, unpacked. */
export interface ImageDetail extends ImageRow {
  /** of layers that other images have too */
  shared: number;
  /** containers of it, running or not */
  containers: number;
}

export interface VolumeDetail {
  name: string;
  /** containers that have it */
  links: number;
  /** bytes of the host's disk */
  size: number;
}

/** What each image, container and volume takes: `system df -v`. */
export interface DiskUsageDetails {
  images: ImageDetail[];
  containers: (ListedContainer & { size: ContainerSize })[];
  volumes: VolumeDetail[];
}

export async function diskUsageDetails(root: Root): Promise<DiskUsageDetails> {
  const containers = await listContainers(root, { all: true });
  const configs = containers.map(({ config }) => config);
  const sizes = await containerSizes(root, configs);
  using store = await openImageStore(root);
  return {
    images: await imageDetails(root, store, containers),
    containers: containers.map((container, index) => ({ ...container, size: sizes[index]! })),
    volumes: listVolumes(root).map((volume) => ({
      name: volume.name,
      links: configs.filter(({ mounts }) => mounts.some(({ name }) => name === volume.name)).length,
      size: volumeSize(root, volume),
    })),
  };
}

async function imageDetails(
  root: Root,
  store: ImageStore,
  containers: readonly ListedContainer[],
): Promise<ImageDetail[]> {
  const rows = await listImageRows(store);
  const images = [...new Map(rows.map(({ image }) => [image.descriptor.digest, image])).values()];
  const users = layerUsers(images);
  return rows.map((row) => ({
    ...row,
    shared: row.image.diffIds
      .filter((diffId) => users.get(diffId)! > 1)
      .reduce((sum, diffId) => sum + allocatedBytes(layerPath(root, diffId)), 0),
    containers: containers.filter(({ config }) => config.imageDigest === row.image.descriptor.digest).length,
  }));
}

/** How many images have each layer. */
function layerUsers(images: readonly Image[]): Map<string, number> {
  const users = new Map<string, number>();
  for (const { diffIds } of images) {
    for (const diffId of new Set(diffIds)) users.set(diffId, (users.get(diffId) ?? 0) + 1);
  }
  return users;
}
