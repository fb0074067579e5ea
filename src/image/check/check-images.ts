// SPDX-License-Identifier: Apache-2.0
// hrun system check, the images: docs/store.md, "Checking the store".
import { lstat, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, isDigest } from '../../base/digest.ts';
import { HrunError, hasCode } from '../../base/errors.ts';
import type { Finding, Findings } from '../../base/finding.ts';
import { OCI_MANIFEST } from '../../oci/index.ts';
import { familiarName } from '../../registry/index.ts';
import { fileSize, readIfThere } from '../blob-store.ts';
import { type Image, loadImage } from '../image.ts';
import { changeNames, type NamedManifest, readNames } from '../names.ts';
import { replaceFile } from '../scratch.ts';
import { type ImageStore, LAYOUT } from '../store.ts';
import { imageUsers } from '../users.ts';
import { checkLayers } from './check-layers.ts';
import { checkStacks } from './check-stacks.ts';

/**
 * Looks at all that names and containers need. Nothing is removed while `store` is open, and what is new gets its name when it is
 * whole, so other commands may run; to repair, nobody else may have the store open. `quick` reads no layer.
 */
export async function checkImages(
  store: ImageStore,
  findings: Findings,
  options: { quick: boolean },
): Promise<Image[]> {
  await checkLayout(store, findings);
  const images = await readableImages(store, findings);
  const seen = new Set<Digest>();
  for (const image of images) {
    await checkLayers(store, image, seen, findings, options);
    await checkStacks(store, image, seen, findings, options);
  }
  return images;
}

async function checkLayout({ root }: ImageStore, findings: Findings): Promise<void> {
  const path = join(root.images, 'oci-layout');
  if ((await readIfThere(path))?.toString() === LAYOUT) return;
  const finding = { kind: 'damage', where: path, what: 'is damaged', remedy: 'write it again' } as const;
  await findings.mendable(finding, () => replaceFile(root, path, LAYOUT));
}

/** Every image once, by its manifest; those that cannot be read are findings. */
async function readableImages(store: ImageStore, findings: Findings): Promise<Image[]> {
  const images: Image[] = [];
  const entries = Map.groupBy(await namesOrFinding(store, findings), ({ descriptor }) => descriptor.digest);
  for (const [digest, group] of entries) {
    const image = await readOrFail(store, group);
    if (!(image instanceof HrunError)) images.push(image);
    else await dropNames(store, digest, group, image, findings);
  }
  for (const { containerId, imageDigest } of await imageUsers(store.root)) {
    if (images.some(({ descriptor }) => descriptor.digest === imageDigest)) continue;
    const descriptor = { mediaType: '', digest: imageDigest, size: 0 };
    const image = await readOrFail(store, [{ name: undefined, descriptor }]);
    if (!(image instanceof HrunError)) images.push(image);
    else findings.left(lostImage(containerId, image));
  }
  return images;
}

function lostImage(containerId: string, { message }: HrunError): Omit<Finding, 'state'> {
  const where = `container ${containerId.slice(0, 12)}`;
  return {
    kind: 'damage',
    where,
    what: `its image cannot be read: ${message}`,
    remedy: 'pull the image again',
  };
}

async function readOrFail(store: ImageStore, entries: NamedManifest[]): Promise<Image | HrunError> {
  try {
    return await loadImage(store, entries);
  } catch (error) {
    if (hasCode(error, 'STORE_CORRUPT') || hasCode(error, 'BAD_IMAGE')) return error;
    throw error;
  }
}

/** One image that cannot be read keeps all others from being listed: its names go. */
async function dropNames(
  { root }: ImageStore,
  digest: Digest,
  group: NamedManifest[],
  { message }: HrunError,
  findings: Findings,
): Promise<void> {
  const names = group.flatMap(({ name }) => (name ? [familiarName(name)] : []));
  const where = `image ${names.join(', ') || digest}`;
  const finding = {
    kind: 'damage',
    where,
    what: message,
    remedy: 'take its names away; pull it again',
  } as const;
  await findings.mendable(finding, () =>
    changeNames(root, (entries) => entries.filter(({ descriptor }) => descriptor.digest !== digest)),
  );
}

async function namesOrFinding(store: ImageStore, findings: Findings): Promise<NamedManifest[]> {
  const { root } = store;
  try {
    return await readNames(root);
  } catch (error) {
    if (!hasCode(error, 'STORE_CORRUPT')) throw error;
    const path = join(root.images, 'index.json');
    const remedy = 'move it to index.json.damaged and list the images that are there, without names';
    const mended = await findings.mendable(
      { kind: 'damage', where: path, what: 'is damaged: the names of images are lost', remedy },
      async () => {
        await rename(path, `${path}.damaged`);
        const found = await manifestsThere(store);
        await changeNames(root, () => found);
      },
    );
    return mended ? await readNames(root) : await manifestsThere(store);
  }
}

/** No manifest is larger (docs/store.md); what is, is a layer. */
const MAX_MANIFEST_BYTES = 4 * 1024 ** 2;

/** Each blob that is the manifest of an image whose config is there. */
async function manifestsThere(store: ImageStore): Promise<NamedManifest[]> {
  const found: NamedManifest[] = [];
  const dir = join(store.root.images, 'blobs', 'sha256');
  for (const hex of await readdir(dir)) {
    const digest = `sha256:${hex}`;
    const size = await fileSize(join(dir, hex));
    if (!isDigest(digest) || size === undefined || size > MAX_MANIFEST_BYTES) continue;
    const entry = { name: undefined, descriptor: { mediaType: OCI_MANIFEST, digest, size } };
    const bytes = await readIfThere(join(dir, hex));
    if (bytes?.[0] !== 0x7b || !(await isImage(store, entry))) continue;
    found.push(entry);
  }
  return found;
}

async function isImage(store: ImageStore, entry: NamedManifest): Promise<boolean> {
  return !((await readOrFail(store, [entry])) instanceof HrunError);
}

/** Files that no image needs. Only while nobody else has the store open: others may be about to name theirs. */
export async function noteUnneeded(paths: readonly string[], findings: Findings): Promise<void> {
  let bytes = 0;
  for (const path of paths) bytes += (await lstat(path)).size;
  if (paths.length === 0) return;
  findings.left({
    kind: 'note',
    where: paths[0]!,
    what: `${paths.length === 1 ? 'is' : `and ${paths.length - 1} more are`} needed by no image (${bytes} bytes)`,
    remedy: 'the next hrun rmi or image prune takes that away',
  });
}
