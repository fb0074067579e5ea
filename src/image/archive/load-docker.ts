// SPDX-License-Identifier: Apache-2.0
// docker-archive: what `docker save` writes. A manifest.json names, for each image, its config and its layers.
import { digestOf } from '../../base/digest.ts';
import { HrunError } from '../../base/errors.ts';
import {
  type Descriptor,
  diffIdsOf,
  type ImageConfig,
  MAX_CONFIG_BYTES,
  MAX_MANIFEST_BYTES,
  type Manifest,
  OCI_CONFIG,
  OCI_LAYER_TAR,
  OCI_MANIFEST,
  parseImageConfig,
  parseJson,
  validateArchiveManifest,
} from '../../oci/index.ts';
import { parseTagged } from '../../registry/index.ts';
import { writeBlobFile } from '../blob-store.ts';
import { ensureLayer } from '../ingest.ts';
import { openBlob } from '../layer.ts';
import type { ImageStore } from '../store.ts';
import { type Archive, readMember } from './archive.ts';
import type { LoadedImage } from './load.ts';
import { compressionOf } from './open.ts';

interface ArchivedImage {
  Config: string;
  RepoTags?: string[] | null;
  Layers: string[] | null;
}

/** Loads every image that manifest.json lists. */
export async function loadDockerArchive(store: ImageStore, archive: Archive): Promise<LoadedImage[]> {
  const where = `${archive.where}: manifest.json`;
  const bytes = await readMember(archive, 'manifest.json', MAX_MANIFEST_BYTES);
  const images = parseJson<ArchivedImage[]>(bytes, where, validateArchiveManifest);
  const loaded: LoadedImage[] = [];
  for (const image of images) {
    const configBytes = await readMember(archive, image.Config, MAX_CONFIG_BYTES);
    const made = await loadArchivedImage(store, archive, configBytes, image.Layers ?? []);
    loaded.push({ ...made, names: (image.RepoTags ?? []).map(parseTagged) });
  }
  return loaded;
}

/** Loads one image from its config and the names of its layers' files, lowest first; makes a manifest for it. */
export async function loadArchivedImage(
  store: ImageStore,
  archive: Archive,
  configBytes: Buffer,
  layerFiles: readonly string[],
): Promise<Pick<LoadedImage, 'descriptor' | 'id'>> {
  const config = parseImageConfig(configBytes, `${archive.where}: the image's config`);
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: { mediaType: OCI_CONFIG, digest: digestOf(configBytes), size: configBytes.length },
    layers: await loadLayers(store, archive, config, layerFiles),
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  const descriptor = { mediaType: OCI_MANIFEST, digest: digestOf(bytes), size: bytes.length };
  await writeBlobFile(store.root, manifest.config.digest, configBytes);
  await writeBlobFile(store.root, descriptor.digest, bytes);
  return { descriptor, id: manifest.config.digest };
}

async function loadLayers(
  store: ImageStore,
  archive: Archive,
  config: ImageConfig,
  files: readonly string[],
): Promise<Descriptor[]> {
  const diffIds = diffIdsOf(config, files.length, archive.where);
  const layers: Descriptor[] = [];
  for (const [index, diffId] of diffIds.entries()) {
    const blob = await ensureLayer(store, { diffId }, () => layerInput(archive, files[index]!));
    layers.push({ mediaType: await layerType(store, blob.digest), digest: blob.digest, size: blob.size });
  }
  return layers;
}

async function layerInput(archive: Archive, file: string) {
  const source = await archive.find(file);
  if (!source) throw new HrunError('BAD_ARCHIVE', `${archive.where} lacks the layer ${file.slice(0, 150)}`);
  return { kind: 'file' as const, source };
}

/** The archive does not say how a layer is packed: its first bytes do. */
async function layerType(store: ImageStore, digest: Descriptor['digest']): Promise<string> {
  await using handle = await openBlob(store.root, digest);
  const compression = await compressionOf(handle);
  return compression === 'none' ? OCI_LAYER_TAR : `${OCI_LAYER_TAR}+${compression}`;
}
