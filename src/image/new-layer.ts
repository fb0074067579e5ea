// SPDX-License-Identifier: Apache-2.0
// A layer that nobody has named yet: what commit and import make.
import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createGzip } from 'node:zlib';
import type { Digest } from '../base/digest.ts';
import { makeDirectory } from '../base/directory.ts';
import { HrunError } from '../base/errors.ts';
import { inStore } from '../base/store-error.ts';
import { type LayerResult, native } from '../native/index.ts';
import { blobPath } from './blob-store.ts';
import { inLayer } from './ingest.ts';
import { type LayerBlob, layerPath, linkBlob } from './layer.ts';
import { createScratch } from './scratch.ts';
import type { ImageStore } from './store.ts';

export interface NewLayer extends LayerBlob {
  diffId: Digest;
}

/** Packs a tar as it comes, converts it and puts both into the store. The tar is as hostile as any layer: docs/layers.md. */
export async function addLayer(
  store: ImageStore,
  tar: AsyncIterable<Buffer>,
  name: string,
): Promise<NewLayer> {
  const { root } = store;
  return await inStore(root.layers, async () => {
    await using erofs = await createScratch(root);
    await using blob = await createScratch(root);
    const { result, tarDigest } = await inLayer(name, () => convert(tar, erofs.fd, blob.fd));
    const diffId: Digest = `sha256:${result.tarSha256}`;
    if (diffId !== tarDigest) {
      throw new HrunError('CORRUPT_LAYER', `the new layer was packed as ${diffId} out of ${tarDigest}`);
    }
    const digest: Digest = `sha256:${result.blobSha256}`;
    await makeDirectory(dirname(blobPath(root, digest)));
    await Promise.all([blob.commit(blobPath(root, digest)), erofs.commit(layerPath(root, diffId))]);
    await linkBlob(root, diffId, digest);
    return { diffId, digest, size: result.blobBytes };
  });
}

/** The converter unpacks again what was packed: its digest of the tar is checked against that of the bytes as they came. */
async function convert(
  tar: AsyncIterable<Buffer>,
  outputFd: number,
  blobFd: number,
): Promise<{ result: LayerResult; tarDigest: Digest }> {
  const hash = createHash('sha256');
  // Somebody waits for the commit: of a Debian tree this level takes less than half the time, and 8 % more room.
  const gzip = createGzip({ level: constants.Z_BEST_SPEED });
  const packing = pipeline(Readable.from(hashed(tar, hash)), gzip);
  packing.catch(() => {}); // it is awaited below; gzip fails with it
  const stream = native().openLayerStream({ outputFd, blobFd });
  try {
    for await (const chunk of gzip) await stream.write(chunk as Buffer);
    await packing;
    const result = await stream.end();
    return { result, tarDigest: `sha256:${hash.digest('hex')}` };
  } catch (error) {
    await stream.abort();
    throw error;
  }
}

async function* hashed(
  tar: AsyncIterable<Buffer>,
  hash: { update(bytes: Buffer): unknown },
): AsyncGenerator<Buffer> {
  for await (const chunk of tar) {
    hash.update(chunk);
    yield chunk;
  }
}
