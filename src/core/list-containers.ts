// SPDX-License-Identifier: Apache-2.0
import { errnoOf, hasCode } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import { inStore } from '../base/store-error.ts';
import {
  type ContainerConfig,
  type ContainerState,
  containerDirectory,
  type HealthStatus,
  isAtRest,
  listContainerIds,
  type RepairResult,
  readContainerConfig,
  readHealth,
  readState,
  repairContainer,
} from '../container/index.ts';
import { hasDied, sweepNetworks } from './join-networks.ts';

export interface ListedContainer {
  config: ContainerConfig;
  state: ContainerState;
  /** of one that is probed and was started */
  health: HealthStatus | undefined;
}

/** The containers, newest first, with truthful states: what killed monitors left is repaired before. */
export async function listContainers(root: Root, options: { all: boolean }): Promise<ListedContainer[]> {
  const listed: ListedContainer[] = [];
  const repairs: RepairResult[] = [];
  await inStore(root.containers, async () => {
    for (const id of listContainerIds(root)) {
      const container = await readTruthfully(root, id, repairs);
      if (container && (options.all || isUp(container.state))) listed.push(container);
    }
  });
  if (repairs.some(hasDied)) await sweepNetworks(root);
  return listed.sort(newestFirst);
}

/** Most containers are at rest: what was read of them is not read again. */
async function readTruthfully(
  root: Root,
  id: string,
  repairs: RepairResult[],
): Promise<ListedContainer | undefined> {
  const directory = containerDirectory(root, id);
  const container = readContainer(directory);
  if (container && isAtRest(container.state, container.config)) return container;
  const result = await repairContainer(root, id);
  repairs.push(result);
  return result === 'alive' && container ? container : readContainer(directory);
}

/** Plain comparison: the first localeCompare of a process costs 20 ms. */
function newestFirst({ config: a }: ListedContainer, { config: b }: ListedContainer): number {
  return a.created < b.created ? 1 : a.created > b.created ? -1 : 0;
}

/** What `ps` shows without -a. */
function isUp({ status }: ContainerState): boolean {
  return status === 'running' || status === 'paused' || status === 'restarting';
}

/** Undefined for one that is being made, or was removed while we looked. */
function readContainer(directory: string): ListedContainer | undefined {
  try {
    const state = readState(directory);
    if (!state) return undefined;
    const config = readContainerConfig(directory);
    return { state, config, health: readHealth(directory, config, state)?.status };
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || hasCode(error, 'STORE_CORRUPT')) return undefined;
    throw error;
  }
}
