// SPDX-License-Identifier: Apache-2.0
// Archives of Docker before 1.10: no manifest.json, but `repositories` and a directory for each layer, with the
// layer's tar and a json file that names its parent.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { HrunError } from '../../base/errors.ts';
import { MAX_CONFIG_BYTES, MAX_MANIFEST_BYTES, parseJson } from '../../oci/index.ts';
import { parseTagged, type Reference } from '../../registry/index.ts';
import type { ImageStore } from '../store.ts';
import { type Archive, readMember } from './archive.ts';
import type { LoadedImage } from './load.ts';
import { loadArchivedImage } from './load-docker.ts';

/** `<id>/json` */
interface LegacyLayer {
  parent?: unknown;
  created?: unknown;
  author?: unknown;
  architecture?: unknown;
  os?: unknown;
  config?: unknown;
  container_config?: { Cmd?: unknown };
}

const ID = /^[0-9a-f]{64}$/;
const MAX_LAYERS = 127;

/** Loads every image that `repositories` names. */
export async function loadLegacyArchive(store: ImageStore, archive: Archive): Promise<LoadedImage[]> {
  const bytes = await readMember(archive, 'repositories', MAX_MANIFEST_BYTES);
  const tops = namesById(parseJson<Record<string, unknown>>(bytes, `${archive.where}: repositories`));
  const loaded: LoadedImage[] = [];
  for (const [id, names] of tops) {
    const chain = await readChain(archive, id);
    const config = Buffer.from(JSON.stringify(await makeConfig(archive, chain)));
    const files = chain.map((layer) => `${layer.id}/layer.tar`);
    loaded.push({ ...(await loadArchivedImage(store, archive, config, files)), names });
  }
  return loaded;
}

/** `repositories` is {REPOSITORY: {TAG: LAYER ID}}. */
function namesById(repositories: Record<string, unknown>): Map<string, Reference[]> {
  const byId = new Map<string, Reference[]>();
  for (const [repository, tags] of Object.entries(repositories)) {
    for (const [tag, id] of Object.entries(tags as object)) {
      if (typeof id === 'string')
        byId.set(id, [...(byId.get(id) ?? []), parseTagged(`${repository}:${tag}`)]);
    }
  }
  return byId;
}

/** The layers from the lowest to `top`. */
async function readChain(archive: Archive, top: string): Promise<{ id: string; layer: LegacyLayer }[]> {
  const chain: { id: string; layer: LegacyLayer }[] = [];
  for (let id: unknown = top; id; id = chain[0]!.layer.parent) {
    if (typeof id !== 'string' || !ID.test(id) || chain.length >= MAX_LAYERS) {
      throw new HrunError('BAD_ARCHIVE', `${archive.where}: the layers of ${top.slice(0, 64)} do not end`);
    }
    const bytes = await readMember(archive, `${id}/json`, MAX_CONFIG_BYTES);
    chain.unshift({ id, layer: parseJson<LegacyLayer>(bytes, `${archive.where}: ${id}/json`) });
  }
  return chain;
}

/** An image config as Docker made them when it took such images over. */
async function makeConfig(archive: Archive, chain: { id: string; layer: LegacyLayer }[]): Promise<object> {
  const top = chain.at(-1)!.layer;
  const diffIds: string[] = [];
  for (const { id } of chain) diffIds.push(await hashMember(archive, `${id}/layer.tar`));
  return {
    ...(top.created !== undefined && { created: top.created }),
    ...(top.author !== undefined && { author: top.author }),
    architecture: top.architecture ?? 'amd64',
    os: top.os ?? 'linux',
    config: top.config ?? {},
    rootfs: { type: 'layers', diff_ids: diffIds },
    history: chain.map(({ layer }) => ({
      ...(layer.created !== undefined && { created: layer.created }),
      created_by: commandOf(layer),
    })),
  };
}

function commandOf({ container_config: container }: LegacyLayer): string {
  return Array.isArray(container?.Cmd) ? container.Cmd.join(' ') : '';
}

/** These archives hold plain tars: a file's digest is its diffID, and is checked again as it is converted. */
async function hashMember(archive: Archive, name: string): Promise<string> {
  const source = await archive.find(name);
  if (!source) throw new HrunError('BAD_ARCHIVE', `${archive.where} lacks ${name}`);
  const hash = createHash('sha256');
  if (source.length > 0) {
    const { fd, offset, length } = source;
    const bytes: Readable = createReadStream('', {
      fd,
      start: offset,
      end: offset + length - 1,
      autoClose: false,
    });
    for await (const chunk of bytes) hash.update(chunk);
  }
  return `sha256:${hash.digest('hex')}`;
}
