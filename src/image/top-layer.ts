// SPDX-License-Identifier: Apache-2.0
// What must lie on top of a stack of layers (docs/layers.md, "Stacking"): found out once, kept in layers/.
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Root } from '../base/root.ts';
import { inStore } from '../base/store-error.ts';
import { type JoinResult, native } from '../native/index.ts';
import { fileSize, readIfThere } from './blob-store.ts';
import { withLockFile } from './lock.ts';
import { createScratch, replaceFile, type ScratchFile } from './scratch.ts';

export interface TopLayer {
  /** so many of the lowest layers must be merged first; if not 0 the rest says nothing */
  merge: number;
  /** index of the lowest layer to stack */
  lowest: number;
  /** the image to stack on top, if one is needed */
  top: string | undefined;
}

/** For EROFS images, lowest first. `name` stands for exactly this stack. */
export async function topLayer(root: Root, images: readonly string[], name: string): Promise<TopLayer> {
  if (images.length < 2) return { merge: 0, lowest: 0, top: undefined };
  const path = join(root.layers, `${name}.v${native().converterVersion}`);
  return await inStore(root.layers, async () => {
    let result = await readResult(path);
    if (!result) {
      await withLockFile(join(root.tmp, name), async () => {
        result = (await readResult(path)) ?? (await joinImages(root, images, path));
      });
    }
    const { merge, lowest, erofsBytes } = result!;
    return { merge, lowest, top: erofsBytes > 0 ? `${path}.erofs` : undefined };
  });
}

/** Undefined when there is no answer, or not the image that it promises: a sweep that was killed may have left one alone. */
async function readResult(path: string): Promise<JoinResult | undefined> {
  const text = await readIfThere(`${path}.json`);
  if (!text) return undefined;
  const result = JSON.parse(text.toString()) as JoinResult;
  const { erofsBytes } = result;
  return erofsBytes === 0 || (await fileSize(`${path}.erofs`)) === erofsBytes ? result : undefined;
}

/** The image gets its name before the answer that promises it. `path` has no suffix. */
export async function joinImages(root: Root, images: readonly string[], path: string): Promise<JoinResult> {
  await using scratch = await createScratch(root);
  const result = await joinInto(images, scratch);
  if (result.erofsBytes > 0) await scratch.commit(`${path}.erofs`);
  await replaceFile(root, `${path}.json`, `${JSON.stringify(result)}\n`);
  return result;
}

/** Writes what must lie on top of `images`, lowest first, if anything must. */
export async function joinInto(images: readonly string[], output: ScratchFile): Promise<JoinResult> {
  await using stack = new AsyncDisposableStack();
  const fds: number[] = [];
  for (const image of images) fds.push(stack.use(await open(image, 'r')).fd);
  return await native().joinDirectories(fds, { outputFd: output.fd });
}
