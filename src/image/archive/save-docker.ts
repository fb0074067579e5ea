// SPDX-License-Identifier: Apache-2.0
// docker-archive as `docker save` writes it: plain tars of the layers, the configs, manifest.json, repositories.
import { createHash } from 'node:crypto';
import { digestParts } from '../../base/digest.ts';
import { HrunError } from '../../base/errors.ts';
import { inStore } from '../../base/store-error.ts';
import { familiarName, familiarRepository } from '../../registry/index.ts';
import { readBlobFile } from '../blob-store.ts';
import type { Image } from '../image.ts';
import { openBlob } from '../layer.ts';
import { createScratch } from '../scratch.ts';
import type { ImageStore } from '../store.ts';
import { blobToSave, type ImageToSave } from './image-to-save.ts';
import { compressionOf } from './open.ts';
import type { TarWriter } from './tar-writer.ts';

export async function saveDockerArchive(
  store: ImageStore,
  images: readonly ImageToSave[],
  tar: TarWriter,
): Promise<void> {
  for (const { image } of images) await addImage(store, image, tar);
  await tar.addBytes('manifest.json', json(images.map(manifestEntry)));
  await tar.addBytes('repositories', json(repositories(images)));
}

async function addImage(store: ImageStore, image: Image, tar: TarWriter): Promise<void> {
  for (const [index, diffId] of image.diffIds.entries()) {
    if (!tar.has(layerName(diffId))) await addLayer(store, image, index, tar);
  }
  if (!tar.has(configName(image)))
    await tar.addBytes(configName(image), await readBlobFile(store.root, image.id));
}

/** A packed blob is unpacked into a scratch file first: a tar wants the size before the content. */
async function addLayer(store: ImageStore, image: Image, index: number, tar: TarWriter): Promise<void> {
  const diffId = image.diffIds[index]!;
  const blob = await blobToSave(store, image, index);
  await using handle = await openBlob(store.root, blob.digest);
  const compression = await compressionOf(handle);
  if (compression === 'none') return await tar.addFile(layerName(diffId), handle);
  const { createGunzip, createZstdDecompress } = await import('node:zlib');
  const unpack = compression === 'gzip' ? createGunzip() : createZstdDecompress();
  await using scratch = await inStore(store.root.tmp, () => createScratch(store.root));
  const hash = createHash('sha256');
  const packed = handle.createReadStream({ start: 0, autoClose: false });
  packed.on('error', (error) => unpack.destroy(error));
  await inStore(store.root.tmp, async () => {
    for await (const chunk of packed.pipe(unpack)) {
      hash.update(chunk);
      await scratch.handle.writeFile(chunk);
    }
  });
  if (`sha256:${hash.digest('hex')}` !== diffId) {
    throw new HrunError('STORE_CORRUPT', `blob ${blob.digest} is damaged`, {
      hint: 'pull or load the image again',
    });
  }
  await tar.addFile(layerName(diffId), scratch.handle);
}

function manifestEntry({ image, names }: ImageToSave): object {
  const tags = names.filter((name) => !name.digest).map(familiarName);
  return {
    Config: configName(image),
    RepoTags: tags.length > 0 ? tags : null,
    Layers: image.diffIds.map(layerName),
  };
}

/** The older list of names, {REPOSITORY: {TAG: top layer}}, which some tools still read. */
function repositories(images: readonly ImageToSave[]): object {
  const result: Record<string, Record<string, string>> = {};
  for (const { image, names } of images) {
    const top = image.diffIds.at(-1);
    for (const name of top ? names : []) {
      if (name.tag === undefined) continue;
      result[familiarRepository(name)] = {
        ...result[familiarRepository(name)],
        [name.tag]: digestParts(top!).hex,
      };
    }
  }
  return result;
}

function layerName(diffId: Image['id']): string {
  return `${digestParts(diffId).hex}.tar`;
}

function configName({ id }: Image): string {
  return `${digestParts(id).hex}.json`;
}

function json(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}
