// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import {
  type ContainerConfig,
  changeName,
  readContainerConfig,
  recordContainer,
  whileUpdating,
  writeContainerConfig,
} from '../container/index.ts';
import { findNetwork, renameStation, servesNames } from '../network/index.ts';
import { readVmConfig, writeVmConfig } from '../vm/index.ts';
import { withNetworks } from './join-networks.ts';
import { vmNics } from './network-membership.ts';
import { openContainer } from './open-container.ts';

/** Gives a container another name. The old one is free only when the new one is written down. */
export async function renameContainer(root: Root, text: string, name: string): Promise<void> {
  const { id, directory, config, name: before } = await openContainer(root, text);
  if (name === before) {
    throw new HrunError('USAGE', `container ${text} is already called ${name}`);
  }
  await changeName(root, id, { before, after: name }, async () => {
    const now = readContainerConfig(directory);
    if (now.name !== before) throw renamedMeanwhile(text, now.name);
    await writeContainerConfig(directory, { ...now, name });
  });
  await renameInNetworks(root, directory, config, name);
  recordContainer(root, { ...config, name }, 'rename', { oldName: `/${before}` });
}

/** What the other containers of its networks call it, now if it runs, and from its next start on. */
async function renameInNetworks(
  root: Root,
  directory: string,
  { id, name, networks }: ContainerConfig,
  after: string,
): Promise<void> {
  const named = networks.filter(({ network }) => servesNames({ name: network }));
  if (named.length === 0) return;
  await whileUpdating(directory, async () => {
    const nics = vmNics({ ...readContainerConfig(directory), name: after });
    await writeVmConfig(directory, { ...readVmConfig(directory), nics });
  });
  await withNetworks(root, async () => {
    for (const { network } of named) renameStation(root, findNetwork(root, network), id, name, after);
  });
}

/** Of two who rename it at the same time the second is told so: both would think that it has the name they gave. */
function renamedMeanwhile(text: string, name: string): HrunError {
  return new HrunError('CONTAINER_STATE', `container ${text} has just been renamed ${name}`, {
    hint: 'see: hrun ps -a',
  });
}
