// SPDX-License-Identifier: Apache-2.0

import { HrunError, hasCode } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import { removeContainer } from '../container/index.ts';
import { createdMs, listImages, openImageStore, type Removal } from '../image/index.ts';
import { directorySize, writableSize } from './allocated.ts';
import { hasLabel } from './container-filters.ts';
import { listContainers } from './list-containers.ts';
import { removeImages } from './remove-image.ts';

/** Which things may go: made before `until` (ms since 1970), with all of `labels`, with none of `withoutLabels`. */
export interface PruneFilters {
  until: number | undefined;
  labels: readonly string[];
  withoutLabels: readonly string[];
}

export interface Pruned {
  removed: string[];
  /** bytes of the host's disk */
  reclaimed: number;
}

/** Removes every container that does not run. One that starts meanwhile stays. */
export async function pruneContainers(root: Root, filters: PruneFilters): Promise<Pruned> {
  const pruned: Pruned = { removed: [], reclaimed: 0 };
  for (const { config, state } of await listContainers(root, { all: true })) {
    if (state.status !== 'exited' && state.status !== 'created') continue;
    if (!isWanted(filters, Date.parse(config.created), config.labels)) continue;
    const size = writableSize(root, config.id);
    try {
      await removeContainer(root, config.id);
    } catch (error) {
      if (hasCode(error, 'CONTAINER_STATE') || hasCode(error, 'NO_SUCH_CONTAINER')) continue;
      throw error;
    }
    pruned.removed.push(config.id);
    pruned.reclaimed += size;
  }
  return pruned;
}

/** Removes images without a name, and with `all` every one that no container needs. */
export async function pruneImages(
  root: Root,
  filters: PruneFilters,
  options: { all: boolean },
): Promise<Pruned> {
  const pruned: Pruned = { removed: [], reclaimed: 0 };
  const before = storeSize(root);
  const targets = await unusedImages(root, filters, options.all);
  await removeImages(root, targets, {
    force: true,
    done: (removal) => pruned.removed.push(describe(removal)),
    failed: (error) => {
      if (!(error instanceof HrunError)) throw error;
    },
  });
  pruned.reclaimed = Math.max(0, before - storeSize(root));
  return pruned;
}

async function unusedImages(root: Root, filters: PruneFilters, all: boolean): Promise<string[]> {
  const used = new Set((await listContainers(root, { all: true })).map(({ config }) => config.imageDigest));
  using store = await openImageStore(root);
  return (await listImages(store))
    .filter((image) => (all || image.tags.length === 0) && !used.has(image.descriptor.digest))
    .filter((image) => isWanted(filters, createdMs(image), image.config.config?.Labels ?? {}))
    .map(({ id }) => id);
}

function isWanted(
  { until, labels, withoutLabels }: PruneFilters,
  createdAt: number,
  its: Readonly<Record<string, string>>,
): boolean {
  if (until !== undefined && createdAt >= until) return false;
  return (
    labels.every((label) => hasLabel(its, label)) && !withoutLabels.some((label) => hasLabel(its, label))
  );
}

function describe(removal: Removal): string {
  return removal.kind === 'untagged' ? `untagged: ${removal.name}` : `deleted: ${removal.id}`;
}

function storeSize(root: Root): number {
  return directorySize(root.images) + directorySize(root.layers);
}
