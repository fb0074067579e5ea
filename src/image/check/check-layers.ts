// SPDX-License-Identifier: Apache-2.0
import { open, rm } from 'node:fs/promises';
import type { Digest } from '../../base/digest.ts';
import { HrunError } from '../../base/errors.ts';
import type { Finding, Findings } from '../../base/finding.ts';
import { native } from '../../native/index.ts';
import type { Descriptor } from '../../oci/index.ts';
import { familiarName } from '../../registry/index.ts';
import { blobPath, blobSize, fileSize } from '../blob-store.ts';
import type { Image } from '../image.ts';
import { inLayer } from '../ingest.ts';
import { findLayerBlob, type LayerBlob, layerPath, linkBlob, linkedBlob, openBlob } from '../layer.ts';
import { createScratch, type ScratchFile } from '../scratch.ts';
import type { ImageStore } from '../store.ts';
import { hasContent, hashFile, hashHandle } from './file-hash.ts';

/** Looks at the layers of an image that were not `seen` yet. */
export async function checkLayers(
  store: ImageStore,
  image: Image,
  seen: Set<Digest>,
  findings: Findings,
  options: { quick: boolean },
): Promise<void> {
  for (const [index, diffId] of image.diffIds.entries()) {
    if (seen.has(diffId)) continue;
    seen.add(diffId);
    const layer: CheckedLayer = { image, diffId, wanted: image.manifest.layers[index]! };
    const blob = await checkBlob(store, layer, findings, options);
    if (options.quick) await checkShape(store, layer, blob, findings);
    else if (blob) await checkContent(store, layer, blob, findings);
    await checkLink(store, layer, blob, findings);
  }
}

interface CheckedLayer {
  image: Image;
  diffId: Digest;
  wanted: Descriptor;
}

/** The blob that the layer can be made from, if there is a sound one. */
async function checkBlob(
  { root }: ImageStore,
  layer: CheckedLayer,
  findings: Findings,
  { quick }: { quick: boolean },
): Promise<LayerBlob | undefined> {
  const { diffId, wanted } = layer;
  const blob = await findLayerBlob(root, diffId, wanted.digest);
  if (!blob) {
    findings.left(incomplete(layer, `layer ${wanted.digest} is missing`));
    return undefined;
  }
  const sound =
    blob.digest === wanted.digest && blob.size !== wanted.size
      ? false
      : quick || (await hasContent(blobPath(root, blob.digest), blob.digest));
  if (sound) return blob;
  const path = blobPath(root, blob.digest);
  const what = 'is not what its name says: truncated or changed';
  if (await findings.mendable({ kind: 'damage', where: path, what, remedy: 'remove it' }, () => rm(path)))
    findings.left(incomplete(layer, `layer ${wanted.digest} was damaged`));
  return undefined;
}

function incomplete({ image }: CheckedLayer, what: string): Omit<Finding, 'state'> {
  return {
    kind: 'damage',
    where: nameOf(image),
    what: `is incomplete: ${what}`,
    remedy: 'pull or load it again',
  };
}

function nameOf(image: Image): string {
  const [name] = [...image.tags, ...image.digests];
  return `image ${name ? familiarName(name) : image.id}`;
}

/** The converter makes the same bytes of the same layer: it is done again, and compared. */
async function checkContent(
  store: ImageStore,
  layer: CheckedLayer,
  blob: LayerBlob,
  findings: Findings,
): Promise<void> {
  const path = layerPath(store.root, layer.diffId);
  await using made = await createScratch(store.root);
  try {
    await convert(store, layer, blob, made);
  } catch (error) {
    if (!(error instanceof HrunError) || error.code === 'DISK_FULL') throw error;
    findings.left(incomplete(layer, error.message));
    return;
  }
  const found = await hashFile(path);
  if (found === (await hashHandle(made.handle))) return;
  await reportLayer(path, found === undefined, findings, () => made.commit(path));
}

async function convert(
  store: ImageStore,
  { diffId }: CheckedLayer,
  blob: LayerBlob,
  made: ScratchFile,
): Promise<void> {
  await using handle = await openBlob(store.root, blob.digest);
  const source = { fd: handle.fd, offset: 0, length: blob.size };
  const { tarSha256 } = await inLayer(blob.digest, () =>
    native().convertLayer(source, { outputFd: made.fd }),
  );
  if (`sha256:${tarSha256}` === diffId) return;
  throw new HrunError(
    'CORRUPT_LAYER',
    `layer ${blob.digest} unpacks to sha256:${tarSha256}, not to ${diffId}`,
  );
}

const SUPERBLOCK = 1024;
const MAGIC = 0xe0f5e1e2;
const BLOCKS_OFFSET = 36;
const BLOCK_BYTES = 4096;

/** Only whether the image's superblock is one and its size fits. */
async function checkShape(
  store: ImageStore,
  layer: CheckedLayer,
  blob: LayerBlob | undefined,
  findings: Findings,
): Promise<void> {
  const path = layerPath(store.root, layer.diffId);
  const size = await fileSize(path);
  if (size !== undefined && size === (await sizeInSuperblock(path))) return;
  if (!blob) return; // what is lost is said already
  await reportLayer(path, size === undefined, findings, async () => {
    await using made = await createScratch(store.root);
    await convert(store, layer, blob, made);
    await made.commit(path);
  });
}

/** Bytes of an EROFS image by its superblock (fs/erofs/erofs_fs.h); undefined when it has none. */
async function sizeInSuperblock(path: string): Promise<number | undefined> {
  await using file = await open(path, 'r');
  const block = Buffer.alloc(128);
  const { bytesRead } = await file.read(block, 0, block.length, SUPERBLOCK);
  if (bytesRead < block.length || block.readUInt32LE(0) !== MAGIC) return undefined;
  return block.readUInt32LE(BLOCKS_OFFSET) * BLOCK_BYTES;
}

/** A layer that is missing is made when a container needs it: that is no damage. */
async function reportLayer(
  where: string,
  missing: boolean,
  findings: Findings,
  repair: () => Promise<void>,
): Promise<void> {
  const remedy = 'make it again from its blob';
  if (missing) await findings.mendable({ kind: 'note', where, what: 'is not made yet', remedy }, repair);
  else
    await findings.mendable(
      { kind: 'damage', where, what: 'is not what its blob unpacks to', remedy },
      repair,
    );
}

/** A link that leads nowhere does not matter as long as the manifest's own blob is there. */
async function checkLink(
  { root }: ImageStore,
  { diffId }: CheckedLayer,
  blob: LayerBlob | undefined,
  findings: Findings,
): Promise<void> {
  const linked = await linkedBlob(root, diffId);
  if (!blob || (linked && (await blobSize(root, linked)) !== undefined)) return;
  const where = `${layerPath(root, diffId).replace(/\.v\d+\.erofs$/, '')}.blob`;
  const remedy = `let it lead to ${blob.digest}`;
  await findings.mendable({ kind: 'note', where, what: 'leads to no blob', remedy }, () =>
    linkBlob(root, diffId, blob.digest),
  );
}
