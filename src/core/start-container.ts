// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import { writeContainerConfig } from '../container/index.ts';
import { findAssets, readVmConfig, type VmAssets, writeVmConfig } from '../vm/index.ts';
import { prepareNetworks } from './join-networks.ts';
import { makeSource } from './make-mounts.ts';
import { settleNetworks } from './network-files.ts';
import { type KnownContainer, openContainer } from './open-container.ts';
import { type StartableContainer, startDetached } from './run.ts';
import { settleUpdate } from './update-container.ts';

/** A container that was made or ran before, ready to be started; `running` if there is nothing to do. */
export async function openToStart(root: Root, text: string): Promise<StartableContainer | 'running'> {
  const found = await openContainer(root, text);
  await settleUpdate(root, found);
  const container = found.config.unfinishedUpdate ? await openContainer(root, text) : found;
  const { status } = container.state;
  if (status === 'paused') {
    throw new HrunError('CONTAINER_STATE', 'cannot start a paused container', {
      hint: `try: hrun unpause ${text}`,
    });
  }
  if (status === 'running' || status === 'starting' || status === 'restarting') return 'running';
  for (const mount of container.config.mounts) await makeSource(mount);
  await settleNetworks(root, container.directory, container.config);
  await prepareNetworks(root, container.config);
  const assets = findAssets();
  await renewAssets(container, assets);
  const { id, name, directory, config } = container;
  return { id, name, directory, config, assets, pool: undefined, release: () => {} };
}

/** Starts a container that was made or ran before, unless it runs; resolves to `text` once its command runs. */
export async function startInBackground(root: Root, text: string): Promise<string> {
  const container = await openToStart(root, text);
  if (container !== 'running') await startDetached(root, container);
  return text;
}

/** hrun may have been set up anew since: kernel and initrd are those of now. The VM gets the size that `hrun update` has left. */
export async function renewAssets(
  { directory, config }: KnownContainer,
  { kernel, initrd }: VmAssets,
): Promise<void> {
  const vm = readVmConfig(directory);
  const { memoryMiB, vcpus } = vm;
  if (memoryMiB !== config.resources.memoryMiB || vcpus !== config.resources.vcpus)
    await writeContainerConfig(directory, { ...config, resources: { memoryMiB, vcpus } });
  if (vm.kernel === kernel && vm.initrd === initrd) return;
  await writeVmConfig(directory, { ...vm, kernel, initrd });
}
