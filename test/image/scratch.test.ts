// SPDX-License-Identifier: Apache-2.0
// Unfinished files in tmp/, and who may clear them away.
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Root } from '../../src/base/root.ts';
import { blobPath } from '../../src/image/blob-store.ts';
import { createScratch, replaceFile, sweepScratch } from '../../src/image/scratch.ts';
import { type ImageStore, openImageStore } from '../../src/image/store.ts';
import { native } from '../../src/native/index.ts';
import { temporaryRoot, unfinished } from '../fixtures/store-root.ts';

let root: Root & AsyncDisposable;
let store: ImageStore;

beforeEach(async () => {
  root = await temporaryRoot();
  store = await openImageStore(root);
});
afterEach(async () => {
  store[Symbol.dispose]();
  await root[Symbol.asyncDispose]();
});

test('a file that is being replaced survives every sweep meanwhile', async () => {
  const path = join(root.images, 'index.json');
  let replaced = false;
  const replacing = (async () => {
    for (let round = 0; round < 200; round++) await replaceFile(root, path, `${round}`);
    replaced = true;
  })();
  while (!replaced) await Promise.all([sweepScratch(root), Promise.race([replacing, undefined])]);
  await replacing;
  expect(readFileSync(path, 'utf8')).toBe('199');
  expect(await unfinished(root)).toEqual([]);
});

test('a sweep takes what dead writers left and leaves what living ones hold', async () => {
  await using held = await createScratch(root);
  writeFileSync(join(root.tmp, 'dead'), 'x');
  mkdirSync(join(root.tmp, 'container-x'));
  await sweepScratch(root);
  expect(readdirSync(root.tmp).sort()).toEqual([held.path.slice(root.tmp.length + 1), 'container-x'].sort());
});

test('an unfinished link goes with its lock, and nothing is made where it leads', async () => {
  const nobody = blobPath(root, `sha256:${'a'.repeat(64)}`);
  symlinkSync(nobody, join(root.tmp, 'layer-dead.link'));
  symlinkSync(nobody, join(root.tmp, 'layer-alive.link'));
  const lock = native().lockFile(join(root.tmp, 'layer-alive'), { shared: false, wait: false })!;
  await sweepScratch(root);
  expect(readdirSync(root.tmp).sort()).toEqual(['layer-alive', 'layer-alive.link']);
  lock.release();
  await sweepScratch(root);
  expect(readdirSync(root.tmp)).toEqual([]);
  expect(existsSync(nobody)).toBe(false);
});
