// SPDX-License-Identifier: Apache-2.0
// What a container's files say of its networks: config.json is the truth, vm.json and configure.bin follow.
import { readFileSync } from 'node:fs';
import { writeFileAtomic } from '../base/atomic-file.ts';
import type { Root } from '../base/root.ts';
import { settingsPath } from '../base/settings.ts';
import {
  type ContainerConfig,
  type ContainerNetwork,
  changeConfig,
  readContainerConfig,
} from '../container/index.ts';
import { hasNetworks, withNetworks } from '../guest/index.ts';
import { readVmConfig, type VmConfig, writeVmConfig } from '../vm/index.ts';
import { guestFiles, HOST_GATEWAY } from './guest-files.ts';
import { guestNetwork, guestNics, vmNics } from './network-membership.ts';
import { vmPorts } from './publish.ts';

/** Gives a container other networks from its next start on. Only while holding its update lock. */
export async function writeNetworks(
  root: Root,
  directory: string,
  networks: readonly ContainerNetwork[],
): Promise<void> {
  await changeConfig(root, directory, (now) => ({ ...now, networks: [...networks] }));
  await followNetworks(root, directory, readContainerConfig(directory));
}

/** Whoever changed the networks may have been killed half-way: what follows config.json is made to. */
export async function settleNetworks(root: Root, directory: string, config: ContainerConfig): Promise<void> {
  const { nics = [] } = readVmConfig(directory);
  const configure = readFileSync(settingsPath(directory, 'configure.bin'));
  const same = JSON.stringify(nics) === JSON.stringify(vmNics(config));
  if (!same || !hasNetworks(configure, guestNics(config.networks)))
    await followNetworks(root, directory, config);
}

/** Files of the container that tell of its networks. */
export function networkFiles(config: ContainerConfig): Map<string, string> {
  const { hostname, domainname, host, networks } = config;
  const dns = host.dns ?? { servers: [], search: [], options: [] };
  const network = guestNetwork(networks, dns);
  const extraHosts = host.extraHosts.filter((text) => network !== undefined || !HOST_GATEWAY.test(text));
  const files = guestFiles({ hostname, domainname, extraHosts, network });
  files.delete('/etc/hostname');
  return files;
}

/** What vm.json says of a container's networks. */
export function vmConnections(root: Root, config: ContainerConfig): Pick<VmConfig, 'nics' | 'ports'> {
  const nics = vmNics(config);
  const ports = vmPorts(root, config.host.portBindings, config.networks);
  return { ...(nics.length > 0 && { nics }), ...(ports && { ports }) };
}

/** First vm.json: a guest that is not told of an interface starts, one that is told of a missing one does not. */
async function followNetworks(root: Root, directory: string, config: ContainerConfig): Promise<void> {
  const { nics: _nics, ports: _ports, ...vm } = readVmConfig(directory);
  await writeVmConfig(directory, { ...vm, ...vmConnections(root, config) });
  const path = settingsPath(directory, 'configure.bin');
  const configure = withNetworks(readFileSync(path), guestNics(config.networks), networkFiles(config));
  await writeFileAtomic(path, configure, { mode: 0o600 });
}
