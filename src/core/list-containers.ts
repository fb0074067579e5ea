// SPDX-License-Identifier: Apache-2.0
import { errnoOf, hasCode } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import {
  type ContainerConfig,
  type ContainerState,
  containerDirectory,
  listContainerIds,
  readContainerConfig,
  readState,
  repairContainers,
} from '../container/index.ts';
import { inStore } from '../image/index.ts';

export interface ListedContainer {
  config: ContainerConfig;
  state: ContainerState;
}

/** The containers, newest first, with truthful states: what killed monitors left is repaired before. */
export async function listContainers(root: Root, options: { all: boolean }): Promise<ListedContainer[]> {
  await inStore(root.containers, () => repairContainers(root));
  return listContainerIds(root)
    .flatMap((id) => readContainer(containerDirectory(root, id)) ?? [])
    .filter(({ state }) => options.all || isUp(state))
    .sort((a, b) => b.config.created.localeCompare(a.config.created));
}

/** What `ps` shows without -a. */
function isUp({ status }: ContainerState): boolean {
  return status === 'running' || status === 'paused' || status === 'restarting';
}

/** Undefined for one that is being made, or was removed while we looked. */
function readContainer(directory: string): ListedContainer | undefined {
  try {
    const state = readState(directory);
    return state && { state, config: readContainerConfig(directory) };
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || hasCode(error, 'STORE_CORRUPT')) return undefined;
    throw error;
  }
}
