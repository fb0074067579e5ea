// SPDX-License-Identifier: Apache-2.0
import type { Root } from '../base/root.ts';
import { containerDirectory } from '../container/index.ts';
import { blobPath, layerPath, listImages, openImageStore } from '../image/index.ts';
import { listVolumes, type Volume, volumeSource } from '../volume/index.ts';
import { allocatedBytes, directorySize } from './allocated.ts';
import { type ListedContainer, listContainers } from './list-containers.ts';

/** A line of `hrun system df`. Sizes are bytes of the host's disk. */
export interface DiskUsage {
  type: 'Images' | 'Containers' | 'Local Volumes' | 'Cache';
  total: number;
  active: number;
  size: number;
  reclaimable: number;
}

/** What the store takes on the host's disk, and what of it `prune` could give back. */
export async function diskUsage(root: Root): Promise<DiskUsage[]> {
  const containers = await listContainers(root, { all: true });
  return [
    await imagesUsage(root, containers),
    containersUsage(root, containers),
    volumesUsage(root, containers),
    cacheUsage(root),
  ];
}

/** Layers are shared: an image's part of them can be given back when no image that is in use needs them. */
async function imagesUsage(root: Root, containers: readonly ListedContainer[]): Promise<DiskUsage> {
  using store = await openImageStore(root);
  const images = await listImages(store);
  const used = new Set<string>(containers.map(({ config }) => config.imageDigest));
  const active = images.filter(({ descriptor }) => used.has(descriptor.digest));
  const kept = new Set<string>(active.flatMap(({ manifest }) => manifest.layers.map(({ digest }) => digest)));
  const unused = images
    .filter((image) => !active.includes(image))
    .flatMap(({ manifest, diffIds }) =>
      manifest.layers.map(({ digest }, index) => ({ digest, diffId: diffIds[index]! })),
    )
    .filter(({ digest }) => !kept.has(digest));
  const reclaimable = [...new Map(unused.map((layer) => [layer.digest, layer])).values()].reduce(
    (sum, { digest, diffId }) =>
      sum + allocatedBytes(blobPath(root, digest)) + allocatedBytes(layerPath(root, diffId)),
    0,
  );
  const size = directorySize(root.images) + directorySize(root.layers);
  return {
    type: 'Images',
    total: images.length,
    active: active.length,
    size,
    reclaimable: Math.min(size, reclaimable),
  };
}

function containersUsage(root: Root, containers: readonly ListedContainer[]): DiskUsage {
  const sizes = containers.map(({ config, state }) => ({
    stopped: state.status === 'exited' || state.status === 'created',
    size: directorySize(containerDirectory(root, config.id)),
  }));
  const sum = (list: typeof sizes) => list.reduce((total, { size }) => total + size, 0);
  const stopped = sizes.filter((each) => each.stopped);
  return {
    type: 'Containers',
    total: sizes.length,
    active: sizes.length - stopped.length,
    size: sum(sizes),
    reclaimable: sum(stopped),
  };
}

function volumesUsage(root: Root, containers: readonly ListedContainer[]): DiskUsage {
  const used = new Set(containers.flatMap(({ config }) => config.mounts.map(({ name }) => name)));
  const sizes = listVolumes(root).map((volume) => ({
    used: used.has(volume.name),
    size: volumeSize(root, volume),
  }));
  const sum = (list: typeof sizes) => list.reduce((total, { size }) => total + size, 0);
  return {
    type: 'Local Volumes',
    total: sizes.length,
    active: sizes.filter((each) => each.used).length,
    size: sum(sizes),
    reclaimable: sum(sizes.filter((each) => !each.used)),
  };
}

/** Bytes of the host's disk that a volume takes. */
export function volumeSize(root: Root, volume: Volume): number {
  const source = volumeSource(root, volume);
  return volume.diskSize === undefined ? directorySize(source) : allocatedBytes(source);
}

function cacheUsage(root: Root): DiskUsage {
  const size = directorySize(root.cache);
  return { type: 'Cache', total: 1, active: 1, size, reclaimable: 0 };
}
