// SPDX-License-Identifier: Apache-2.0
// A second container that goes on from where a running one is: docs/checkpoint.md, "Clones".
import { existsSync, linkSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { syncDirectory } from '../base/atomic-file.ts';
import { HrunError } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import { settingsPath } from '../base/settings.ts';
import { inStore } from '../base/store-error.ts';
import {
  type ContainerConfig,
  checkpointsPath,
  deleteDirectory,
  lockForMaking,
  makeContainerDirectory,
  newContainerId,
  type PortBinding,
  readContainerConfig,
  recordContainer,
  releaseName,
  removeCheckpoint,
  shortId,
  syncContainerNames,
  takeGeneratedName,
  takeName,
  writeContainerFile,
  writeFirstState,
} from '../container/index.ts';
import { withHostname, withNetworks } from '../guest/index.ts';
import { findAssets, VM_FILE, type VmConfig, WRITABLE_SLOT } from '../vm/index.ts';
import { checkSavable, saveContainer } from './checkpoints.ts';
import { joinSameNetworks, leaveNetworks } from './join-networks.ts';
import { networkFiles, vmConnections } from './network-files.ts';
import { guestNics, vmNics } from './network-membership.ts';
import { type KnownContainer, openRunning } from './open-container.ts';
import { startDetached } from './run.ts';

/** The checkpoint that a clone begins with, until it runs. */
const ORIGIN = 'origin';
const DISK = 'writable.ext4';

/**
 * Makes a container of what a running one is at this moment, which goes on unharmed, and starts it; returns its id. `name`: undefined
 * for one that is made up. CONTAINER_STATE, UNSUPPORTED, NAME_IN_USE, CHECKPOINT_FAILED.
 */
export async function cloneContainer(root: Root, text: string, name: string | undefined): Promise<string> {
  const source = await openRunning(root, text);
  checkSavable(text, source, { leaveRunning: true });
  checkNetworks(text, source);
  const making = await inStore(root.containers, () => lockForMaking(root));
  const id = newContainerId();
  const directory = makeContainerDirectory(root, id);
  let taken: string | undefined;
  try {
    taken = await nameClone(root, name, id);
    const config = await inStore(root.containers, () => fill(root, source, { id, name: taken!, directory }));
    recordContainer(root, config, 'create');
    await startDetached(root, {
      ...{ id, name: taken, directory, config },
      assets: findAssets(),
      pool: undefined,
      checkpoint: join(checkpointsPath(directory), ORIGIN),
      release: () => making.release(),
    });
  } catch (error) {
    await deleteDirectory(root, id);
    if (taken !== undefined) await releaseName(root, taken, id);
    await leaveNetworks(root, id);
    throw error;
  } finally {
    making.release();
  }
  await removeCheckpoint(checkpointsPath(directory), ORIGIN); // it has a disk of its own now
  return id;
}

async function nameClone(root: Root, name: string | undefined, id: string): Promise<string> {
  if (name === undefined) return await takeGeneratedName(root, id);
  await takeName(root, name, id);
  return name;
}

/** What plug-ins have set up is theirs. */
function checkNetworks(text: string, { config }: KnownContainer): void {
  if (!config.host.cni) return;
  throw new HrunError('UNSUPPORTED', `container ${text} has a CNI network, which cannot be cloned`, {
    hint: 'there are clones of containers in networks of hrun, or with --network none',
  });
}

/** That of the host is the first one's. */
function onAnyPort(binding: PortBinding): PortBinding {
  return { ...binding, hostPort: '' };
}

type Clone = Pick<KnownContainer, 'id' | 'name' | 'directory'>;

/** All that a container has, its state last: until that is there it is a half-made one. Its first disk is that of its checkpoint. */
async function fill(root: Root, source: KnownContainer, clone: Clone): Promise<ContainerConfig> {
  const { id, directory } = clone;
  const vm = await saveContainer(root, source, {
    parent: checkpointsPath(directory),
    name: ORIGIN,
    leaveRunning: true,
  });
  const config = await copyConfig(root, source, vm, clone);
  const durable = !config.autoRemove;
  const write = (file: string, data: Uint8Array | string) =>
    writeContainerFile(settingsPath(directory, file), data, durable);
  const read = (file: string) => readFileSync(settingsPath(source.directory, file));
  const disks = vm.disks.map((disk) =>
    disk.slot === WRITABLE_SLOT ? { ...disk, path: join(directory, DISK) } : disk,
  );
  write('config.json', JSON.stringify(config));
  write(VM_FILE, JSON.stringify({ ...vm, id, disks, ...vmConnections(root, config) }));
  const files = new Map([...networkFiles(config), ['/etc/hostname', `${config.hostname}\n`]]);
  const named = withHostname(read('configure.bin'), config.hostname, files);
  write('configure.bin', withNetworks(named, guestNics(config.networks), files));
  write('start.bin', read('start.bin'));
  if (existsSync(settingsPath(source.directory, 'probe.bin'))) write('probe.bin', read('probe.bin'));
  linkSync(join(checkpointsPath(directory), ORIGIN, 'disk'), join(directory, DISK));
  if (durable) {
    await Promise.all([directory, settingsPath(directory)].map(syncDirectory));
    await syncContainerNames(root);
  }
  await writeFirstState(directory, durable);
  return config;
}

/** Of the source as it was saved, in the same networks. CONTAINER_STATE when they have changed since. */
async function copyConfig(
  root: Root,
  source: KnownContainer,
  vm: VmConfig,
  { id, name }: Clone,
): Promise<ContainerConfig> {
  const from = readContainerConfig(source.directory);
  if (JSON.stringify(vmNics(from)) !== JSON.stringify(vm.nics ?? [])) {
    throw new HrunError(
      'CONTAINER_STATE',
      `the networks of container ${source.name} have just been changed`,
      {
        hint: 'try again',
      },
    );
  }
  const networks = await joinSameNetworks(root, from, id);
  const hostname = from.hostname === shortId(from.id) ? shortId(id) : from.hostname;
  const host = { ...from.host, portBindings: from.host.portBindings.map(onAnyPort) };
  return { ...from, id, name, hostname, networks, host, created: new Date().toISOString() };
}
