// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import { inStore } from '../base/store-error.ts';
import {
  type ContainerConfig,
  type ContainerState,
  calledBy,
  containerDirectory,
  findContainer,
  noSuchContainer,
  readContainerConfig,
  readState,
  repairContainer,
} from '../container/index.ts';
import { hasDied, sweepNetworks } from './join-networks.ts';

/** A container that is there, with its truthful state. */
export interface KnownContainer {
  id: string;
  name: string;
  directory: string;
  config: ContainerConfig;
  state: ContainerState;
}

/** The container that a name or id means; NO_SUCH_CONTAINER, AMBIGUOUS_ID. What a killed monitor left is repaired before. */
export async function openContainer(root: Root, text: string): Promise<KnownContainer> {
  const id = findContainer(root, text);
  const repair = await inStore(root.containers, () => repairContainer(root, id));
  if (hasDied(repair)) await sweepNetworks(root);
  const directory = containerDirectory(root, id);
  const state = readState(directory);
  if (!state) throw noSuchContainer(text);
  const config = readContainerConfig(directory);
  const called = calledBy(text);
  if (config.name !== called && !id.startsWith(called)) throw noSuchContainer(text); // it has been renamed meanwhile
  return { id, name: config.name, directory, config, state };
}

/** True while there is a process, paused or not. */
export function isRunning({ status }: ContainerState): boolean {
  return status === 'running' || status === 'paused';
}

/** The container, if its process runs; CONTAINER_STATE otherwise, in Docker's words. */
export async function openRunning(root: Root, text: string): Promise<KnownContainer> {
  const container = await openContainer(root, text);
  if (!isRunning(container.state)) {
    throw new HrunError('CONTAINER_STATE', `container ${text} is not running`, {
      hint: `see: hrun start ${text}`,
    });
  }
  return container;
}
