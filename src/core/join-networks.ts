// SPDX-License-Identifier: Apache-2.0
// From what --network asks for to a container's interfaces, with addresses that are its own until it is removed.
import { existsSync } from 'node:fs';
import { HrunError } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import { inStore } from '../base/store-error.ts';
import {
  type ContainerConfig,
  type ContainerNetwork,
  containerDirectory,
  type RepairResult,
  shortId,
  whileNobodyMakes,
} from '../container/index.ts';
import type { GuestNic } from '../guest/index.ts';
import {
  createNetwork,
  DEFAULT_MTU,
  DEFAULT_NETWORK,
  ensureNameServer,
  ensureNetwork,
  findNetwork,
  forgetDeadRecords,
  listNetworks,
  lockNetworks,
  type Network,
  nameRecords,
  networkObstacle,
  parseIPv4,
  releaseLeases,
  servesNames,
  sweepPorts,
  takeLease,
  tapName,
} from '../network/index.ts';
import { findAssets, NETWORK_SLOTS, type VmNic } from '../vm/index.ts';
import type { ContainerOptions } from './container-options.ts';

const MAC_PATTERN = /^[0-9a-f][02468ace](?::[0-9a-f]{2}){5}$/;

/** What --network means here: "none" or the name of a network. UNSUPPORTED, HOST_SETUP, USAGE. */
export function networkMode({ network, ip, macAddress, networkAliases, publish }: ContainerOptions): string {
  const asked = network === 'default' ? undefined : network || undefined;
  if (asked === 'host') {
    throw new HrunError(
      'UNSUPPORTED',
      'a container has a machine of its own and cannot have the network of the host',
      {
        hint: "use --network bridge: the host is the network's gateway",
      },
    );
  }
  const obstacle = asked === 'none' ? undefined : networkObstacle();
  if (asked === undefined && publish.length > 0 && obstacle !== undefined) {
    throw new HrunError('HOST_SETUP', `ports cannot be published: ${obstacle}`, { hint: 'leave out -p' });
  }
  if (asked !== undefined && asked !== 'none' && obstacle !== undefined) {
    throw new HrunError('HOST_SETUP', `network ${asked} cannot be used: ${obstacle}`, {
      hint: 'use --network none',
    });
  }
  const mode = obstacle === undefined ? (asked ?? DEFAULT_NETWORK) : 'none';
  if (mode === 'none' && (ip !== undefined || macAddress !== undefined)) {
    throw new HrunError('USAGE', '--ip and --mac-address need a network', { hint: 'use --network' });
  }
  if (networkAliases.length > 0 && !servesNames({ name: mode === 'none' ? DEFAULT_NETWORK : mode })) {
    throw new HrunError(
      'USAGE',
      'network-scoped alias is supported only for containers in user defined networks',
      { hint: 'make one: hrun network create' },
    );
  }
  return mode;
}

/**
 * Takes an address for a new container and sees to it that its network works. Only while the container is being made: until its
 * directory is there nothing else says that the address is not left over.
 */
export async function joinNetworks(
  root: Root,
  options: ContainerOptions,
  id: string,
): Promise<ContainerNetwork[]> {
  const mode = networkMode(options);
  if (mode === 'none') return [];
  checkMac(options.macAddress);
  return await withNetworks(root, async () => {
    const network = mode === DEFAULT_NETWORK ? await defaultNetwork(root) : findNetwork(root, mode);
    await bringUp(root, network);
    const address = await takeLease(root, network, id, options.ip);
    return [membership(root, network, { id, address, options })];
  });
}

/** Sees to it that the networks of a container that is there work. */
export async function prepareNetworks(root: Root, { networks }: ContainerConfig): Promise<void> {
  if (networks.length === 0) return;
  await withNetworks(root, async () => {
    for (const { network } of networks) await bringUp(root, findNetwork(root, network));
  });
}

async function bringUp(root: Root, network: Network): Promise<void> {
  await ensureNetwork(root, network);
  if (servesNames(network)) await ensureNameServer(root, network, findAssets().monitor);
}

/** Gives back the addresses of a container that is gone. */
export async function leaveNetworks(root: Root, id: string): Promise<void> {
  await withNetworks(root, async () => {
    for (const network of listNetworks(root)) releaseLeases(root, network, (holder) => holder === id);
  });
}

/**
 * Takes back ports whose keepers were killed and, unless somebody makes a container now, the addresses whose containers are gone,
 * whoever removed them.
 */
export async function sweepNetworks(root: Root): Promise<void> {
  if (!existsSync(root.networks)) return;
  await withNetworks(root, async () => {
    await sweepPorts(root);
    for (const network of listNetworks(root)) forgetDeadRecords(nameRecords(root, network));
    await whileNobodyMakes(root, async () => {
      for (const network of listNetworks(root)) {
        releaseLeases(root, network, (holder) => !existsSync(containerDirectory(root, holder)));
      }
    });
  });
}

/** True when what a container had of networks may be left over: its keeper was killed. */
export function hasDied(repair: RepairResult): boolean {
  return repair === 'repaired' || repair === 'removed';
}

/** Runs `action` while nobody else changes networks or leases. */
export async function withNetworks<T>(root: Root, action: () => Promise<T>): Promise<T> {
  return await inStore(root.networks, async () => {
    const lock = await lockNetworks(root);
    try {
      return await action();
    } finally {
      lock.release();
    }
  });
}

/** The network of containers that ask for none: made when it is first wanted. */
export async function defaultNetwork(root: Root): Promise<Network> {
  const present = listNetworks(root).find(({ name }) => name === DEFAULT_NETWORK);
  if (present) return present;
  return await createNetwork(root, {
    name: DEFAULT_NETWORK,
    ...{ subnet: undefined, gateway: undefined, ipRange: undefined },
    ...{ mtu: DEFAULT_MTU, internal: false, labels: {}, options: {} },
  });
}

/** The interfaces' part of vm.json. */
export function vmNics(config: ContainerConfig): VmNic[] {
  const servers = config.host.dns?.servers ?? [];
  return config.networks.map((member) => {
    const { network, slot, mac, address, prefix, bridge, tap, mtu } = member;
    const nic = { slot, mac, addresses: [`${address}/${prefix}`], bridge, tap, mtu };
    if (!servesNames({ name: network })) return nic;
    return { ...nic, names: { network, names: namesIn(config, member), servers } };
  });
}

/** What the other containers of a network may call it, its own name first. */
export function namesIn(
  { name, id, hostname }: ContainerConfig,
  { aliases = [] }: ContainerNetwork,
): string[] {
  return [...new Set([name, ...aliases, shortId(id), hostname])];
}

/** The interfaces' part of CONFIGURE. */
export function guestNics(networks: readonly ContainerNetwork[]): GuestNic[] {
  return networks.map(({ slot, interface: name, mac, mtu, address, prefix, gateway, internal }) => {
    return { slot, name, mac, mtu, addresses: [{ address, prefix }], gateways: internal ? [] : [gateway] };
  });
}

function membership(
  root: Root,
  network: Network,
  { id, address, options }: { id: string; address: string; options: ContainerOptions },
): ContainerNetwork {
  const { macAddress: mac, networkAliases } = options;
  const { name, id: networkId, bridge, gateway, mtu, internal, subnet } = network;
  return {
    ...{ network: name, networkId, bridge, gateway, mtu, internal, address },
    interface: 'eth0',
    slot: NETWORK_SLOTS[0],
    aliases: [...networkAliases],
    mac: mac?.toLowerCase() ?? macOf(address),
    prefix: Number(subnet.split('/')[1]),
    tap: tapName(root, id, 0),
  };
}

/** As Docker does: the same address has the same MAC address whoever has it, so no neighbour remembers a wrong one. */
function macOf(address: string): string {
  const digits = parseIPv4(address)!.toString(16).padStart(8, '0');
  return `02:42:${digits.match(/../g)!.join(':')}`;
}

function checkMac(mac: string | undefined): void {
  if (mac === undefined || MAC_PATTERN.test(mac.toLowerCase())) return;
  throw new HrunError('USAGE', `invalid --mac-address ${mac}`, {
    hint: 'use six pairs of hexadecimal digits, the first even, such as 02:42:ac:1f:00:05',
  });
}
