// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Finding, Findings } from '../base/finding.ts';
import type { Root } from '../base/root.ts';
import { inStore } from '../base/store-error.ts';
import { checkContainers, danglingNames } from '../container/index.ts';
import {
  checkImages,
  type ImageStore,
  lockImageStore,
  noteUnneeded,
  openImageStore,
  sweepScratch,
  unneededFiles,
} from '../image/index.ts';
import { checkCheckpoints } from './check-checkpoints.ts';
import { checkNetworks } from './check-networks.ts';
import { checkHeadStarts } from './head-start.ts';
import { checkPools } from './pools.ts';

export interface CheckOptions {
  /** mend what can be mended */
  repair: boolean;
  /** read no layer and no blob */
  quick: boolean;
}

export interface CheckedStore {
  findings: Finding[];
  /** something is damaged still */
  damaged: boolean;
}

/**
 * Looks at everything in the store, docs/store.md. Other commands may run meanwhile. To repair images the store is taken for
 * itself, and what was wrong is looked at again: another command may have mended it.
 */
export async function checkStore(root: Root, options: CheckOptions): Promise<CheckedStore> {
  const dangling = danglingNames(root);
  const images = await checkShared(root, options);
  const mended = images.list.length > 0 && options.repair ? await repairAlone(root, options) : images;
  const findings = new Findings(options.repair);
  await inStore(root.containers, () => checkContainers(root, dangling, findings));
  await checkCheckpoints(root, options, findings);
  await checkPools(root, findings);
  await checkHeadStarts(root, findings);
  await checkNetworks(root, findings);
  return { findings: [...mended.list, ...findings.list], damaged: mended.damaged || findings.damaged };
}

async function checkShared(root: Root, options: CheckOptions): Promise<Findings> {
  const findings = new Findings(false);
  {
    using store = await openImageStore(root);
    await inStore(root.dir, () => checkImages(store, findings, options));
  }
  using alone = await lockImageStore(root, { wait: false });
  if (alone) await inStore(root.dir, () => checkRubbish(alone, findings));
  return findings;
}

async function repairAlone(root: Root, options: CheckOptions): Promise<Findings> {
  const findings = new Findings(true);
  using store = await lockImageStore(root, { wait: true });
  if (!store) throw new Error('waited in vain');
  await inStore(root.dir, async () => {
    await checkImages(store, findings, options);
    await checkRubbish(store, findings);
  });
  return findings;
}

/** Only while nobody else has the store open: others may be about to give their files a name. */
async function checkRubbish(store: ImageStore, findings: Findings): Promise<void> {
  const { root } = store;
  const stale = (await readdir(root.tmp, { withFileTypes: true })).filter((entry) => !entry.isDirectory());
  for (const { name } of stale) {
    const where = join(root.tmp, name);
    if (!existsSync(where)) continue; // went with the first of them
    await findings.leftover(where, () => sweepScratch(root));
  }
  await noteUnneeded((await unneededFiles(store)) ?? [], findings);
}
