// SPDX-License-Identifier: Apache-2.0
// How a layer comes into the store: its bytes are hashed, unpacked, hashed again and converted in one pass, and
// get their names only when both hashes are right.
import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import type { Digest } from '../base/digest.ts';
import { makeDirectory } from '../base/directory.ts';
import { errnoOf, HrunError } from '../base/errors.ts';
import { inStore, storeError } from '../base/store-error.ts';
import { type LayerResult, type LayerSource, native } from '../native/index.ts';
import type { Descriptor } from '../oci/index.ts';
import { blobPath } from './blob-store.ts';
import {
  findLayerBlob,
  hasLayer,
  type LayerBlob,
  layerLockPath,
  layerPath,
  linkBlob,
  openBlob,
} from './layer.ts';
import { withLockFile } from './lock.ts';
import { createScratch, type ScratchFile } from './scratch.ts';
import type { ImageStore } from './store.ts';

/** The layer that is wanted. */
export interface WantedLayer {
  /** what it must unpack to */
  diffId: Digest;
  /** the blob it must come as; undefined when any blob that unpacks to `diffId` will do */
  blob?: Descriptor;
}

/** Where a layer's blob comes from: bytes as they arrive, or a stretch of an open file. */
export type LayerInput =
  | { kind: 'stream'; chunks: AsyncIterable<Buffer> }
  | { kind: 'file'; source: LayerSource };

/**
 * Sees to it that the layer is in the store and returns its blob. `open` is called only when neither blob nor
 * EROFS image is there; a blob without its image is converted again. Processes that want the same layer
 * wait for the first. Throws DIGEST_MISMATCH, CORRUPT_LAYER, LIMIT_EXCEEDED or DISK_FULL.
 */
export async function ensureLayer(
  store: ImageStore,
  wanted: WantedLayer,
  open: () => LayerInput | Promise<LayerInput>,
): Promise<LayerBlob> {
  const { root } = store;
  return await inStore(root.layers, async () => {
    const present = await finishedLayer(store, wanted);
    if (present) return present;
    return await withLockFile(
      layerLockPath(root, wanted.diffId),
      async () => (await finishedLayer(store, wanted)) ?? (await makeLayer(store, wanted, open)),
    );
  });
}

/** The layer's blob if both it and the EROFS image are there. */
async function finishedLayer(
  { root }: ImageStore,
  { diffId, blob }: WantedLayer,
): Promise<LayerBlob | undefined> {
  if (!(await hasLayer(root, diffId))) return undefined;
  return await findLayerBlob(root, diffId, blob?.digest);
}

async function makeLayer(
  store: ImageStore,
  wanted: WantedLayer,
  open: () => LayerInput | Promise<LayerInput>,
): Promise<LayerBlob> {
  const present = await findLayerBlob(store.root, wanted.diffId, wanted.blob?.digest);
  if (present) return await reconvert(store, wanted, present);
  const input = await open();
  await using erofs = await createScratch(store.root);
  await using blob = await createScratch(store.root);
  const outputs = { outputFd: erofs.fd, blobFd: blob.fd };
  const name = wanted.blob?.digest ?? wanted.diffId;
  const { result, digest } = await inLayer(name, () =>
    input.kind === 'file' ? fromFile(input.source, outputs) : fromStream(input.chunks, outputs, wanted),
  );
  checkResult(wanted, result, digest);
  await commit(store, wanted, { erofs, blob, digest });
  return { digest, size: result.blobBytes };
}

/** The blob is here but its image is not, or is of another converter. A damaged blob is reported as such. */
async function reconvert(store: ImageStore, wanted: WantedLayer, blob: LayerBlob): Promise<LayerBlob> {
  await using handle = await openBlob(store.root, blob.digest);
  await using erofs = await createScratch(store.root);
  const source = { fd: handle.fd, offset: 0, length: blob.size };
  const result = await inLayer(blob.digest, () => native().convertLayer(source, { outputFd: erofs.fd }));
  checkDiffId(wanted.diffId, blob.digest, result);
  await erofs.commit(layerPath(store.root, wanted.diffId));
  await linkBlob(store.root, wanted.diffId, blob.digest);
  return blob;
}

interface Converted {
  result: LayerResult;
  /** of the blob, in the algorithm in which it is named */
  digest: Digest;
}

interface Outputs {
  outputFd: number;
  blobFd: number;
}

async function fromFile(source: LayerSource, outputs: Outputs): Promise<Converted> {
  const result = await native().convertLayer(source, outputs);
  return { result, digest: `sha256:${result.blobSha256}` };
}

async function fromStream(
  chunks: AsyncIterable<Buffer>,
  outputs: Outputs,
  wanted: WantedLayer,
): Promise<Converted> {
  const sha512 = wanted.blob?.digest.startsWith('sha512:') ? createHash('sha512') : undefined;
  const stream = native().openLayerStream(outputs);
  try {
    for await (const chunk of chunks) {
      sha512?.update(chunk);
      await stream.write(chunk);
    }
    const result = await stream.end();
    return { result, digest: sha512 ? `sha512:${sha512.digest('hex')}` : `sha256:${result.blobSha256}` };
  } catch (error) {
    await stream.abort();
    throw error;
  }
}

async function commit(
  { root }: ImageStore,
  wanted: WantedLayer,
  { erofs, blob, digest }: { erofs: ScratchFile; blob: ScratchFile; digest: Digest },
): Promise<void> {
  const target = blobPath(root, digest);
  await makeDirectory(dirname(target));
  await Promise.all([blob.commit(target), erofs.commit(layerPath(root, wanted.diffId))]);
  await linkBlob(root, wanted.diffId, digest);
}

function checkResult(wanted: WantedLayer, result: LayerResult, digest: Digest): void {
  const { blob } = wanted;
  if (blob && (digest !== blob.digest || result.blobBytes !== blob.size)) {
    throw new HrunError(
      'DIGEST_MISMATCH',
      `layer ${blob.digest} (${blob.size} bytes) arrived as ${digest} (${result.blobBytes} bytes)`,
      { hint: 'the image is broken at its source, or something on the way changes it' },
    );
  }
  checkDiffId(wanted.diffId, blob?.digest ?? digest, result);
}

function checkDiffId(diffId: Digest, blob: Digest, result: LayerResult): void {
  const actual = `sha256:${result.tarSha256}`;
  if (actual === diffId) return;
  throw new HrunError(
    'CORRUPT_LAYER',
    `layer ${blob} unpacks to ${actual}, but the image's config says ${diffId}`,
    {
      hint: 'the image is broken at its source',
    },
  );
}

/** Words the converter's failures, which know nothing of images. */
export async function inLayer<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof HrunError || !(error instanceof Error)) throw error;
    const code = errnoOf(error);
    if (code === 'LAYER_CORRUPT') {
      throw new HrunError('CORRUPT_LAYER', `layer ${name} is corrupt: ${error.message}`, {
        hint: 'the image is broken at its source; pull or load it again',
        cause: error,
      });
    }
    if (code === 'LAYER_LIMIT') {
      throw new HrunError('LIMIT_EXCEEDED', `layer ${name} is refused: ${error.message}`, {
        hint: 'the limits are in docs/layers.md',
        cause: error,
      });
    }
    throw storeError(error, `layer ${name}`);
  }
}
