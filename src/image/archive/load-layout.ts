// SPDX-License-Identifier: Apache-2.0
// OCI image layouts (image-spec image-layout.md), in a directory or in a tar: `oci-archive`.
import { type Digest, digestParts, matchesDigest } from '../../base/digest.ts';
import { HrunError } from '../../base/errors.ts';
import {
  choosePlatform,
  type Descriptor,
  diffIdsOf,
  isIndexType,
  MAX_CONFIG_BYTES,
  MAX_MANIFEST_BYTES,
  type Platform,
  parseImageConfig,
  parseIndex,
  parseManifest,
  REF_NAME,
} from '../../oci/index.ts';
import { parseTagged, type Reference } from '../../registry/index.ts';
import { writeBlobFile } from '../blob-store.ts';
import { ensureLayer } from '../ingest.ts';
import type { ImageStore } from '../store.ts';
import { type Archive, readMember } from './archive.ts';
import type { LoadedImage } from './load.ts';

/** The full name, as containerd and Docker write it beside the tag. */
const CONTAINERD_NAME = 'io.containerd.image.name';
const MAX_INDEX_DEPTH = 3;

/** Loads every image of the layout that is for `platform`. */
export async function loadLayout(
  store: ImageStore,
  archive: Archive,
  platform: Platform,
): Promise<LoadedImage[]> {
  const { manifests } = parseIndex(
    await readMember(archive, 'index.json', MAX_MANIFEST_BYTES),
    `${archive.where}: index.json`,
  );
  const loaded: LoadedImage[] = [];
  for (const entry of manifests) {
    const descriptor = await imageFor(archive, entry, platform, 0);
    if (!descriptor) continue;
    const id = await loadImageBlobs(store, archive, descriptor);
    loaded.push({ descriptor, id, names: namesOf(entry) });
  }
  if (loaded.length > 0) return loaded;
  throw new HrunError(
    'BAD_ARCHIVE',
    `${archive.where} holds no image for ${platform.os}/${platform.architecture}`,
  );
}

/** The manifest behind an entry, through nested indexes; undefined when none of them is for the platform. */
async function imageFor(
  archive: Archive,
  entry: Descriptor,
  platform: Platform,
  depth: number,
): Promise<Descriptor | undefined> {
  if (!isIndexType(entry.mediaType)) {
    return entry.platform === undefined || choosePlatform([entry], platform) ? entry : undefined;
  }
  if (depth >= MAX_INDEX_DEPTH) return undefined;
  const bytes = await readVerified(archive, entry, MAX_MANIFEST_BYTES);
  const parsed = parseManifest(bytes, entry.mediaType, `${archive.where}: ${entry.digest}`);
  const chosen = parsed.kind === 'index' ? choosePlatform(parsed.index.manifests, platform) : undefined;
  return chosen && (await imageFor(archive, chosen, platform, depth + 1));
}

async function loadImageBlobs(store: ImageStore, archive: Archive, descriptor: Descriptor): Promise<Digest> {
  const where = `${archive.where}: ${descriptor.digest}`;
  const bytes = await readVerified(archive, descriptor, MAX_MANIFEST_BYTES);
  const parsed = parseManifest(bytes, descriptor.mediaType, where);
  if (parsed.kind !== 'manifest') throw new HrunError('BAD_ARCHIVE', `${where} is not an image manifest`);
  const { manifest } = parsed;
  const configBytes = await readVerified(archive, manifest.config, MAX_CONFIG_BYTES);
  const diffIds = diffIdsOf(parseImageConfig(configBytes, `${where}: config`), manifest.layers.length, where);
  for (const [index, blob] of manifest.layers.entries()) {
    await ensureLayer(store, { diffId: diffIds[index]!, blob }, () => layerInput(archive, blob));
  }
  await writeBlobFile(store.root, manifest.config.digest, configBytes);
  await writeBlobFile(store.root, descriptor.digest, bytes);
  return manifest.config.digest;
}

async function layerInput(archive: Archive, blob: Descriptor) {
  const source = await archive.find(memberName(blob));
  if (!source) throw new HrunError('BAD_ARCHIVE', `${archive.where} lacks layer ${blob.digest}`);
  return { kind: 'file' as const, source };
}

async function readVerified(archive: Archive, descriptor: Descriptor, limit: number): Promise<Buffer> {
  const bytes = await readMember(archive, memberName(descriptor), limit);
  if (matchesDigest(bytes, descriptor.digest)) return bytes;
  throw new HrunError('DIGEST_MISMATCH', `${archive.where}: blob ${descriptor.digest} has another content`);
}

function memberName({ digest }: Descriptor): string {
  const { algorithm, hex } = digestParts(digest);
  return `blobs/${algorithm}/${hex}`;
}

/** The entry's full name, or its `ref.name` when that reads as one; none when it is only something like `1.0`. */
function namesOf({ annotations }: Descriptor): Reference[] {
  for (const text of [annotations?.[CONTAINERD_NAME], annotations?.[REF_NAME]]) {
    const name = text === undefined ? undefined : tryParse(text);
    if (name) return [name];
  }
  return [];
}

function tryParse(text: string): Reference | undefined {
  try {
    const name = parseTagged(text);
    return name.digest ? undefined : name;
  } catch {
    return undefined;
  }
}
