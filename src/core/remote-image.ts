// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../base/digest.ts';
import { HrunError } from '../base/errors.ts';
import {
  choosePlatform,
  type Descriptor,
  diffIdsOf,
  formatPlatform,
  HOST_PLATFORM,
  type ImageConfig,
  type ImageIndex,
  type Manifest,
  type Platform,
  parseImageConfig,
  parseManifest,
  platformRank,
} from '../oci/index.ts';
import { familiarName, type Reference, type RegistryClient } from '../registry/index.ts';

/** An image in a registry: everything of it but its layers, checked. */
export interface RemoteImage {
  /** what the name stands for: of the index if there is one */
  digest: Digest;
  descriptor: Descriptor;
  manifestBytes: Buffer;
  manifest: Manifest;
  configBytes: Buffer;
  config: ImageConfig;
  diffIds: Digest[];
}

/** An index in an index in an index … */
const MAX_INDEX_DEPTH = 3;

/**
 * Finds what `reference` names for `platform`. Throws WRONG_PLATFORM when the image is for others only,
 * BAD_IMAGE when it is malformed.
 */
export async function resolveRemote(
  client: RegistryClient,
  reference: Reference,
  platform: Platform,
  signal?: AbortSignal,
): Promise<RemoteImage> {
  const name = familiarName(reference);
  let remote = await client.manifest(reference, signal);
  const { digest } = remote;
  for (let depth = 0; depth <= MAX_INDEX_DEPTH; depth++) {
    const parsed = parseManifest(remote.bytes, remote.mediaType, `the manifest of ${name}`);
    if (parsed.kind === 'manifest') {
      const { mediaType, manifest } = parsed;
      const descriptor = { mediaType, digest: remote.digest, size: remote.bytes.length };
      const image = { digest, descriptor, manifestBytes: remote.bytes, manifest };
      return await withConfig(client, reference, platform, image, signal);
    }
    const chosen = chooseFrom(parsed.index, platform, name);
    remote = await client.manifest(
      { domain: reference.domain, path: reference.path, digest: chosen.digest },
      signal,
    );
  }
  throw new HrunError('BAD_IMAGE', `${name} is an index of indexes, more than ${MAX_INDEX_DEPTH} deep`);
}

/** WRONG_PLATFORM for an image called `name` that is for `offered` when `wanted` is needed. */
export function wrongPlatform(name: string, offered: string, wanted: Platform): HrunError {
  const hint =
    formatPlatform(wanted) === formatPlatform(HOST_PLATFORM)
      ? 'this host cannot run it; choose another image'
      : 'choose another --platform';
  return new HrunError('WRONG_PLATFORM', `${name} is for ${offered}, not for ${formatPlatform(wanted)}`, {
    hint,
  });
}

function chooseFrom(index: ImageIndex, platform: Platform, name: string): Descriptor {
  const chosen = choosePlatform(index.manifests, platform);
  if (chosen) return chosen;
  const offered = index.manifests.flatMap((entry) =>
    entry.platform ? [formatPlatform(entry.platform)] : [],
  );
  const known = [...new Set(offered)].filter((text) => !text.startsWith('unknown/')).slice(0, 10);
  throw wrongPlatform(name, known.join(', ') || 'no platform at all', platform);
}

async function withConfig(
  client: RegistryClient,
  reference: Reference,
  platform: Platform,
  image: Omit<RemoteImage, 'configBytes' | 'config' | 'diffIds'>,
  signal?: AbortSignal,
): Promise<RemoteImage> {
  const name = familiarName(reference);
  const configBytes = await client.config(reference, image.manifest.config, signal);
  const config = parseImageConfig(configBytes, `the config of ${name}`);
  if (platformRank(config, platform) === undefined)
    throw wrongPlatform(name, formatPlatform(config), platform);
  return { ...image, configBytes, config, diffIds: diffIdsOf(config, image.manifest.layers.length, name) };
}
