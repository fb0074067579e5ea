// SPDX-License-Identifier: Apache-2.0

import type { Digest } from '../../base/digest.ts';
import { HrunError } from '../../base/errors.ts';
import type { Descriptor, Platform } from '../../oci/index.ts';
import type { Reference } from '../../registry/index.ts';
import { assignNames, changeNames } from '../names.ts';
import type { ImageStore } from '../store.ts';
import type { Archive } from './archive.ts';
import { loadDockerArchive } from './load-docker.ts';
import { loadLayout } from './load-layout.ts';
import { loadLegacyArchive } from './load-legacy.ts';

/** An image of an archive that is in the store now. */
export interface LoadedImage {
  descriptor: Descriptor;
  /** the digest of its config */
  id: Digest;
  names: Reference[];
}

/**
 * Loads all images of an archive, whatever its format, and gives them their names. A docker-archive that is also
 * an OCI layout is read as the former, because that holds the full names. Throws BAD_ARCHIVE.
 */
export async function loadArchive(
  store: ImageStore,
  archive: Archive,
  platform: Platform,
): Promise<LoadedImage[]> {
  const loaded = await loadImages(store, archive, platform);
  await changeNames(store.root, (entries) =>
    loaded.reduce(
      (names, { descriptor, names: given }) => assignNames(names, bare(descriptor), given),
      entries,
    ),
  );
  return loaded;
}

async function loadImages(store: ImageStore, archive: Archive, platform: Platform): Promise<LoadedImage[]> {
  if (await archive.find('manifest.json')) return await loadDockerArchive(store, archive);
  if (await archive.find('index.json')) return await loadLayout(store, archive, platform);
  if (await archive.find('repositories')) return await loadLegacyArchive(store, archive);
  throw new HrunError('BAD_ARCHIVE', `${archive.where} is not an image archive`, {
    hint: 'it has neither manifest.json (docker-archive) nor index.json (OCI)',
  });
}

/** index.json of the store says nothing but what a manifest is and its name. */
function bare({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size };
}
