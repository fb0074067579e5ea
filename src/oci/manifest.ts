// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../base/errors.ts';
import type { Descriptor } from './descriptor.ts';
import {
  isConfigType,
  isIndexType,
  isLayerType,
  isManifestType,
  OCI_INDEX,
  OCI_MANIFEST,
} from './media-types.ts';
import { checkShape, parseJson } from './parse.ts';
import { validateIndex, validateManifest } from './validators.generated.ts';

/** Largest manifest or index that is read, in bytes (the distribution-spec asks registries for 4 MiB). */
export const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

/** image-spec manifest.md, or Docker's image manifest v2 schema 2: the same shape. */
export interface Manifest {
  schemaVersion: 2;
  mediaType?: string;
  config: Descriptor;
  layers: Descriptor[];
  annotations?: Record<string, string> | null;
}

/** image-spec image-index.md, or Docker's manifest list. */
export interface ImageIndex {
  schemaVersion: 2;
  mediaType?: string;
  manifests: Descriptor[];
  annotations?: Record<string, string> | null;
}

export type ManifestDocument =
  | { kind: 'manifest'; mediaType: string; manifest: Manifest }
  | { kind: 'index'; mediaType: string; index: ImageIndex };

/**
 * Parses a manifest or an index. `mediaType` is what its source calls it (Content-Type, descriptor); `where`
 * names it in errors. Throws BAD_IMAGE when the document is of another type than it is said to be, when it
 * could be read as both (image-spec manifest.md, `layers` beside `manifests`), or does not fit its schema.
 */
export function parseManifest(
  bytes: Uint8Array,
  mediaType: string | undefined,
  where: string,
): ManifestDocument {
  const body = parseJson<{ mediaType?: unknown; manifests?: unknown; layers?: unknown; config?: unknown }>(
    bytes,
    where,
  );
  if (body.manifests !== undefined && (body.layers !== undefined || body.config !== undefined)) {
    throw new HrunError('BAD_IMAGE', `${where} can be read both as an index and as a manifest`);
  }
  const type = agreedType(body, mediaType, where);
  if (isIndexType(type)) return { kind: 'index', mediaType: type, index: asIndex(body, where) };
  return { kind: 'manifest', mediaType: type, manifest: asManifest(body, where) };
}

/** Parses an index such as the index.json of an OCI image layout. */
export function parseIndex(bytes: Uint8Array, where: string): ImageIndex {
  return parseJson(bytes, where, validateIndex);
}

function asIndex(body: unknown, where: string): ImageIndex {
  return checkShape<ImageIndex>(body, validateIndex, where);
}

function asManifest(body: unknown, where: string): Manifest {
  const manifest = checkShape<Manifest>(body, validateManifest, where);
  if (!isConfigType(manifest.config.mediaType)) {
    throw new HrunError(
      'BAD_IMAGE',
      `${where} is not a container image: its config is ${manifest.config.mediaType}`,
    );
  }
  const odd = manifest.layers.find((layer) => !isLayerType(layer.mediaType));
  if (odd) throw new HrunError('BAD_IMAGE', `${where} has a layer of unknown type ${odd.mediaType}`);
  return manifest;
}

/** The document's type; what its source says and what it says itself must be the same. */
function agreedType(
  body: { mediaType?: unknown; manifests?: unknown },
  said: string | undefined,
  where: string,
): string {
  const known = (type: unknown): type is string =>
    typeof type === 'string' && (isIndexType(type) || isManifestType(type));
  if (body.mediaType !== undefined && !known(body.mediaType)) {
    throw new HrunError('BAD_IMAGE', `${where} is of unknown type ${String(body.mediaType).slice(0, 100)}`);
  }
  if (known(said) && known(body.mediaType) && said !== body.mediaType) {
    throw new HrunError('BAD_IMAGE', `${where} is announced as ${said} but calls itself ${body.mediaType}`);
  }
  if (known(body.mediaType)) return body.mediaType;
  if (known(said)) return said;
  return body.manifests === undefined ? OCI_MANIFEST : OCI_INDEX;
}
