// SPDX-License-Identifier: Apache-2.0

import type { Digest } from '../base/digest.ts';
import { HrunError } from '../base/errors.ts';
import {
  assignNames,
  changeNames,
  ensureLayer,
  findByReference,
  type Image,
  type ImageStore,
  loadImage,
  readNames,
  recordImage,
  writeBlobFile,
} from '../image/index.ts';
import { type Descriptor, formatPlatform, HOST_PLATFORM, type Platform, platformRank } from '../oci/index.ts';
import {
  type CredentialStore,
  dockerCredentials,
  familiarName,
  parseTagged,
  type Reference,
  RegistryClient,
  type RegistryTiming,
} from '../registry/index.ts';
import { type Config, loadConfig } from './config.ts';
import { inParallel } from './parallel.ts';
import type { Report } from './progress.ts';
import { type RemoteImage, resolveRemote, wrongPlatform } from './remote-image.ts';

export interface PullOptions {
  /** default: what this host runs */
  platform?: Platform | undefined;
  report?: Report;
  signal?: AbortSignal;
  /** default: the configuration files */
  config?: Config;
  /** default: Docker's configuration file */
  credentials?: CredentialStore;
  timing?: Partial<RegistryTiming>;
}

export interface PulledImage {
  image: Image;
  /** of the manifest or index that the name stands for in the registry */
  digest: Digest;
  /** false when the image was there already */
  changed: boolean;
}

/** Brings the image that `reference` names into the store, or finds that it is there and up to date. */
export async function pullImage(
  store: ImageStore,
  reference: Reference,
  options: PullOptions = {},
): Promise<PulledImage> {
  const config = options.config ?? (await loadConfig());
  using client = openClient(config, options);
  return await pullWith(client, store, reference, config, options);
}

/** Pulls every tag of a repository, one after the other. */
export async function pullAllTags(
  store: ImageStore,
  repository: Reference,
  options: PullOptions = {},
): Promise<{ name: Reference; pulled: PulledImage }[]> {
  const config = options.config ?? (await loadConfig());
  using client = openClient(config, options);
  const tags = await client.tags(repository, options.signal);
  const all = [];
  for (const tag of tags) {
    const name = parseTagged(`${repository.domain}/${repository.path}:${tag}`);
    all.push({ name, pulled: await pullWith(client, store, name, config, options) });
  }
  return all;
}

/** When to ask the registry for an image that a container is to be made from: Docker's `--pull`. */
export type PullPolicy = 'always' | 'missing' | 'never';

/**
 * The image to run for `reference`: the one in the store, or pulled, as `policy` says. Throws NO_SUCH_IMAGE under
 * `never`, WRONG_PLATFORM when the image in the store is for another platform than asked for.
 */
export async function ensureImage(
  store: ImageStore,
  reference: Reference,
  policy: PullPolicy,
  options: PullOptions = {},
): Promise<Image> {
  const wanted = options.platform ?? HOST_PLATFORM;
  const present = policy === 'always' ? undefined : await findByReference(store, reference);
  if (present && platformRank(present.config, wanted) !== undefined) return present;
  if (policy !== 'never') return (await pullImage(store, reference, options)).image;
  const name = familiarName(reference);
  if (present) throw wrongPlatform(name, formatPlatform(present.config), wanted);
  throw new HrunError('NO_SUCH_IMAGE', `no such image: ${name}`, { hint: `run: hrun pull ${name}` });
}

function openClient(
  config: Config,
  { credentials = dockerCredentials(), timing }: PullOptions,
): RegistryClient {
  return new RegistryClient({ credentials, table: config.registries, ...(timing && { timing }) });
}

async function pullWith(
  client: RegistryClient,
  store: ImageStore,
  reference: Reference,
  config: Config,
  options: PullOptions,
): Promise<PulledImage> {
  const { platform = HOST_PLATFORM, report = () => {}, signal } = options;
  report({ kind: 'resolving', image: familiarName(reference) });
  const remote = await resolveRemote(client, reference, platform, signal);
  const layers = uniqueLayers(remote);
  report({ kind: 'layers', layers: layers.map(({ blob }) => ({ id: blob.digest, bytes: blob.size })) });
  let fetched = 0;
  await inParallel(layers, config.pull.parallelLayers, signal, async (layer, stop) => {
    if (await fetchLayer(client, store, reference, layer, report, stop)) fetched += 1;
  });
  const changed = await nameImage(store, reference, remote);
  const image = await loadByDigest(store, remote.descriptor);
  recordImage(store.root, 'pull', familiarName(reference));
  return { image, digest: remote.digest, changed: changed || fetched > 0 };
}

interface RemoteLayer {
  diffId: Digest;
  blob: Descriptor;
}

/** One of each: an image may have the same layer twice. */
function uniqueLayers({ manifest, diffIds }: RemoteImage): RemoteLayer[] {
  const layers = manifest.layers.map((blob, index) => ({ diffId: diffIds[index]!, blob }));
  return [...new Map(layers.map((layer) => [layer.diffId, layer])).values()];
}

/** Resolves with whether the layer had to be fetched. */
async function fetchLayer(
  client: RegistryClient,
  store: ImageStore,
  reference: Reference,
  layer: RemoteLayer,
  report: Report,
  signal: AbortSignal,
): Promise<boolean> {
  const { digest: id, size: total } = layer.blob;
  let opened = false;
  const open = () => {
    opened = true;
    return {
      kind: 'stream' as const,
      chunks: counted(client.blob(reference, layer.blob, signal), id, total, report),
    };
  };
  await ensureLayer(store, layer, open);
  report({ kind: 'layer', id, phase: opened ? 'done' : 'exists', bytes: total, total });
  return opened;
}

async function* counted(chunks: AsyncIterable<Buffer>, id: Digest, total: number, report: Report) {
  let bytes = 0;
  for await (const chunk of chunks) {
    yield chunk;
    bytes += chunk.length;
    report({ kind: 'layer', id, phase: 'transferring', bytes, total });
  }
}

/** Writes config and manifest, then the names; resolves with whether a name is new or was another image's. */
async function nameImage(store: ImageStore, reference: Reference, remote: RemoteImage): Promise<boolean> {
  const { descriptor, manifest } = remote;
  await writeBlobFile(store.root, manifest.config.digest, remote.configBytes);
  await writeBlobFile(store.root, descriptor.digest, remote.manifestBytes);
  const { domain, path } = reference;
  const byDigest = { domain, path, digest: remote.digest };
  const names = reference.digest ? [byDigest] : [reference, byDigest];
  const before = await findByReference(store, names[0]!).catch(() => undefined);
  await changeNames(store.root, (entries) => assignNames(entries, descriptor, names));
  return before?.descriptor.digest !== descriptor.digest;
}

async function loadByDigest(store: ImageStore, { digest }: Descriptor): Promise<Image> {
  const entries = (await readNames(store.root)).filter(({ descriptor }) => descriptor.digest === digest);
  return await loadImage(store, entries);
}
