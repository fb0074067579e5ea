// SPDX-License-Identifier: Apache-2.0
// The use cases of `hrun network`.
import { HrunError } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import {
  containerDirectory,
  listContainerIds,
  nameOf,
  readContainerConfig,
  shortId,
} from '../container/index.ts';
import {
  checkNetworkName,
  createNetwork,
  DEFAULT_MTU,
  DEFAULT_NETWORK,
  deleteNetwork,
  dismantleNetwork,
  ensureNetwork,
  findNetwork,
  ipv6Obstacle,
  listLeases,
  listNetworks,
  type Network,
  networkObstacle,
  stopNameServer,
} from '../network/index.ts';
import { hasLabel } from './container-filters.ts';
import { defaultNetwork, sweepNetworks, withNetworks } from './join-networks.ts';
import type { PruneFilters } from './prune.ts';

export interface NewNetworkOptions {
  name: string;
  ipv6: boolean;
  subnets: readonly string[];
  gateways: readonly string[];
  ipRanges: readonly string[];
  internal: boolean;
  labels: Record<string, string>;
  options: Record<string, string>;
}

const MTU_OPTIONS = ['mtu', 'com.docker.network.driver.mtu'];
const LEAST_MTU = 68;
const MOST_MTU = 65535;

/** Makes a network that works at once. Resolves to its id. */
export async function createNamedNetwork(root: Root, asked: NewNetworkOptions): Promise<string> {
  checkNetworkName(asked.name);
  const mtu = parseMtu(asked.options);
  checkHost();
  const obstacle = asked.ipv6 ? ipv6Obstacle() : undefined;
  if (obstacle !== undefined) throw new HrunError('HOST_SETUP', `there can be no IPv6: ${obstacle}`);
  return await withNetworks(root, async () => {
    const network = await createNetwork(root, { ...asked, mtu });
    try {
      await ensureNetwork(root, network);
    } catch (error) {
      await deleteNetwork(root, network.name);
      throw error;
    }
    return network.id;
  });
}

/** The networks that are there; the default one is made first, where there can be any. */
export async function allNetworks(root: Root): Promise<Network[]> {
  if (networkObstacle() === undefined) await withNetworks(root, () => defaultNetwork(root));
  return listNetworks(root);
}

/** The network as `docker network inspect` shows it. */
export async function inspectNetwork(root: Root, text: string): Promise<object> {
  if (text === DEFAULT_NETWORK) await allNetworks(root);
  const network = findNetwork(root, text);
  const { id, name, created, bridge, subnet, gateway, ipRange, ipv6, mtu, internal, labels, options } =
    network;
  return {
    Name: name,
    Id: id,
    Created: created,
    Scope: 'local',
    Driver: 'bridge',
    EnableIPv6: ipv6 !== undefined,
    IPAM: {
      Driver: 'default',
      Config: [{ subnet, ipRange, gateway }, ...(ipv6 ? [ipv6] : [])].map((family) => ({
        Subnet: family.subnet,
        ...(family.ipRange && { IPRange: family.ipRange }),
        Gateway: family.gateway,
      })),
    },
    Internal: internal,
    Containers: Object.fromEntries(members(root, network)),
    Options: {
      ...options,
      'com.docker.network.bridge.name': bridge,
      'com.docker.network.driver.mtu': String(mtu),
    },
    Labels: labels,
  };
}

/** Removes a network; NETWORK_IN_USE while a container has an address of it. With `force` a missing one is fine. */
export async function removeNetworkCalled(
  root: Root,
  text: string,
  options: { force: boolean },
): Promise<void> {
  await sweepNetworks(root);
  await withNetworks(root, async () => {
    if (options.force && !listNetworks(root).some(({ name, id }) => name === text || id.startsWith(text)))
      return;
    const network = findNetwork(root, text);
    if (network.name === DEFAULT_NETWORK) {
      throw new HrunError('USAGE', `${DEFAULT_NETWORK} is the default network and cannot be removed`);
    }
    const users = usersOf(root, network);
    if (users.length > 0) {
      throw new HrunError('NETWORK_IN_USE', `network ${network.name} is in use by ${users.join(', ')}`, {
        hint: 'remove these containers first',
      });
    }
    await remove(root, network);
  });
}

/** Removes every network that no container has, but the default one. Resolves to their names. */
export async function pruneNetworks(root: Root, filters: PruneFilters): Promise<string[]> {
  await sweepNetworks(root);
  return await withNetworks(root, async () => {
    const unused = listNetworks(root).filter((network) => {
      return (
        network.name !== DEFAULT_NETWORK && isWanted(filters, network) && usersOf(root, network).length === 0
      );
    });
    for (const network of unused) await remove(root, network);
    return unused.map(({ name }) => name);
  });
}

async function remove(root: Root, network: Network): Promise<void> {
  checkHost();
  await stopNameServer(root, network);
  await deleteNetwork(root, network.name);
  await dismantleNetwork(root, network);
}

/** Names of the containers that have an address of the network. */
function usersOf(root: Root, network: Network): string[] {
  const ids = new Set(listLeases(root, network).map(({ id }) => id));
  return [...ids].map((id) => nameOf(root, id) ?? shortId(id));
}

function members(root: Root, network: Network): [string, object][] {
  const there = new Set(listContainerIds(root));
  return listLeases(root, network)
    .filter(({ id }) => there.has(id))
    .map(({ id }) => [id, member(root, network, id)]);
}

function member(root: Root, network: Network, id: string): object {
  const { name, networks } = readContainerConfig(containerDirectory(root, id));
  const own = networks.find(({ networkId }) => networkId === network.id);
  return {
    Name: name,
    MacAddress: own?.mac ?? '',
    IPv4Address: own ? `${own.address}/${own.prefix}` : '',
    IPv6Address: own?.ipv6 ? `${own.ipv6.address}/${own.ipv6.prefix}` : '',
  };
}

function isWanted({ until, labels, withoutLabels }: PruneFilters, network: Network): boolean {
  const old = until === undefined || Date.parse(network.created) < until;
  const has = (label: string) => hasLabel(network.labels, label);
  return old && labels.every(has) && !withoutLabels.some(has);
}

function parseMtu(options: Readonly<Record<string, string>>): number {
  for (const [name, value] of Object.entries(options)) {
    if (!MTU_OPTIONS.includes(name)) {
      throw new HrunError('USAGE', `"${name}" is not an option of a bridge network`, { hint: 'use mtu=' });
    }
    const mtu = /^\d{1,5}$/.test(value) ? Number(value) : 0;
    if (mtu >= LEAST_MTU && mtu <= MOST_MTU) return mtu;
    throw new HrunError('USAGE', `the MTU ${value} is out of range`, {
      hint: `use ${LEAST_MTU} to ${MOST_MTU}`,
    });
  }
  return DEFAULT_MTU;
}

function checkHost(): void {
  const obstacle = networkObstacle();
  if (obstacle !== undefined) throw new HrunError('HOST_SETUP', `there can be no networks here: ${obstacle}`);
}
