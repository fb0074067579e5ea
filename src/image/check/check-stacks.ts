// SPDX-License-Identifier: Apache-2.0
// What is kept for whole stacks of layers (docs/layers.md, "Stacking"): merged images and top layers. Stopped containers
// have them as disks, so they are made again, not removed.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Digest } from '../../base/digest.ts';
import { HrunError } from '../../base/errors.ts';
import type { Findings } from '../../base/finding.ts';
import { native } from '../../native/index.ts';
import { fileSize, readIfThere } from '../blob-store.ts';
import type { Image } from '../image.ts';
import { hasLayer, layerPath } from '../layer.ts';
import { mergedPath, mergeInto, topName } from '../root-disks.ts';
import { createScratch } from '../scratch.ts';
import type { ImageStore } from '../store.ts';
import { joinImages, joinInto } from '../top-layer.ts';
import { hashFile, hashHandle } from './file-hash.ts';

/** Looks at those of an image that are there and were not `seen` yet. */
export async function checkStacks(
  store: ImageStore,
  image: Image,
  seen: Set<string>,
  findings: Findings,
  { quick }: { quick: boolean },
): Promise<void> {
  for (let merged = 0; merged <= image.diffIds.length; merged++) {
    const name = topName(image.diffIds, merged);
    if (seen.has(name)) continue;
    seen.add(name);
    if (merged > 0) await checkMerged(store, image, merged, findings, quick);
    await checkTop(store, image, merged, findings, quick);
  }
}

const REMEDY = 'make it again from its layers';

async function checkMerged(
  store: ImageStore,
  image: Image,
  count: number,
  findings: Findings,
  quick: boolean,
): Promise<void> {
  const path = mergedPath(store.root, image.diffIds.slice(0, count));
  const size = await fileSize(path);
  if (size === undefined || (quick && size > 0)) return;
  await using made = await createScratch(store.root);
  if (!(await madeAgain(() => mergeInto(store, image, count, made)))) return;
  if ((await hashFile(path)) === (await hashHandle(made.handle))) return;
  const finding = {
    kind: 'damage',
    where: path,
    what: 'is not what its layers merge to',
    remedy: REMEDY,
  } as const;
  await findings.mendable(finding, () => made.commit(path));
}

async function checkTop(
  store: ImageStore,
  image: Image,
  merged: number,
  findings: Findings,
  quick: boolean,
): Promise<void> {
  const { root } = store;
  const path = join(root.layers, `${topName(image.diffIds, merged)}.v${native().converterVersion}`);
  const answer = await readIfThere(`${path}.json`);
  const disks = await stack(store, image, merged);
  if (!answer || quick || !disks) return;
  await using made = await createScratch(root);
  const result = await joinInto(disks, made);
  const sameAnswer = answer.toString() === `${JSON.stringify(result)}\n`;
  const sameImage =
    result.erofsBytes === 0 || (await hashFile(`${path}.erofs`)) === (await hashHandle(made.handle));
  if (sameAnswer && sameImage) return;
  const where = `${path}.${sameAnswer ? 'erofs' : 'json'}`;
  const finding = {
    kind: 'damage',
    where,
    what: 'is not what its layers need on top',
    remedy: REMEDY,
  } as const;
  await findings.mendable(finding, async () => {
    await rm(`${path}.json`);
    await joinImages(root, disks, path);
  });
}

/** The images of a stack, lowest first; undefined when one is not there. */
async function stack({ root }: ImageStore, image: Image, merged: number): Promise<string[] | undefined> {
  const bottom = merged > 0 ? [mergedPath(root, image.diffIds.slice(0, merged))] : [];
  if (bottom[0] && (await fileSize(bottom[0])) === undefined) return undefined;
  const rest: Digest[] = image.diffIds.slice(merged);
  for (const diffId of rest) if (!(await hasLayer(root, diffId))) return undefined;
  return [...bottom, ...rest.map((diffId) => layerPath(root, diffId))];
}

/** False when layers are damaged, which is said elsewhere. */
async function madeAgain(work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (error instanceof HrunError && error.code !== 'DISK_FULL') return false;
    throw error;
  }
}
