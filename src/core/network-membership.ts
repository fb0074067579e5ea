// SPDX-License-Identifier: Apache-2.0
// A container's interface in a network, and what its machine and its guest are told of all of them.
import { HrunError } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import {
  addressesOf,
  type CniNetwork,
  type ContainerConfig,
  type ContainerNetwork,
  shortId,
} from '../container/index.ts';
import type { GuestNic } from '../guest/index.ts';
import {
  findPasst,
  type Network,
  networkResolvers,
  parseIPv4,
  resolvers,
  resolverText,
  servesNames,
  tapName,
  USER_ADDRESSES,
  USER_NETWORK,
} from '../network/index.ts';
import { networkSlots, type VmNic } from '../vm/index.ts';
import type { ContainerOptions, NetworkRequest } from './container-options.ts';
import type { GuestNetwork } from './guest-files.ts';

/** as NIC_MAX of initrd/nic_request.h */
const MOST_NETWORKS = 16;
const MAC_PATTERN = /^[0-9a-f][02468ace](?::[0-9a-f]{2}){5}$/;

/** Where a new interface goes: beside the container's others, in a slot that none of its devices has. */
export interface Place {
  id: string;
  address: string;
  address6: string | undefined;
  others: readonly ContainerNetwork[];
  /** of devices that are no network interfaces */
  takenSlots: readonly number[];
}

/** Its interface in one more network. USAGE when it has as many as it can have. */
export function membership(
  root: Root,
  network: Network,
  { macAddress, aliases }: Pick<NetworkRequest, 'macAddress' | 'aliases'>,
  { id, address, address6, others, takenSlots }: Place,
): ContainerNetwork {
  const { name, id: networkId, bridge, gateway, mtu, internal, subnet, ipv6 } = network;
  const index = lowestFree(others.map((other) => interfaceIndex(other.interface)));
  const [slot] = networkSlots([...takenSlots, ...others.map((other) => other.slot)]);
  if (slot === undefined || others.length === MOST_NETWORKS) {
    throw new HrunError('USAGE', `a container with so many disks can have ${others.length} networks`, {
      hint: 'leave one out',
    });
  }
  return {
    ...{ network: name, networkId, bridge, gateway, mtu, internal, address, slot },
    interface: `eth${index}`,
    metric: Math.max(-1, ...others.map(({ metric }) => metric)) + 1,
    aliases: [...aliases],
    mac: macAddress?.toLowerCase() ?? macOf(address),
    prefix: prefixOf(subnet),
    ...(ipv6 &&
      address6 && { ipv6: { address: address6, prefix: prefixOf(ipv6.subnet), gateway: ipv6.gateway } }),
    tap: tapName(root, id, index),
  };
}

/** 1 of eth1 */
export function interfaceIndex(name: string): number {
  return Number(name.slice('eth'.length));
}

/** The interfaces' part of vm.json. */
export function vmNics(config: ContainerConfig): VmNic[] {
  const { in: inBps, out: outBps } = config.host.networkRates;
  const rates = { ...(inBps > 0 && { inBps }), ...(outBps > 0 && { outBps }) };
  const servers = config.host.dns?.servers ?? [];
  return config.networks.map((member) => {
    if (member.network === USER_NETWORK) return passtNic(member);
    if (member.cni) return { ...insideNic(member, member.cni), ...rates };
    const { network, slot, mac, bridge, tap, mtu } = member;
    const addresses = familiesOf(member).map(({ address, prefix }) => `${address}/${prefix}`);
    const nic = { slot, mac, addresses, bridge, tap, mtu, ...rates };
    if (!servesNames({ name: network })) return nic;
    return { ...nic, names: { network, names: namesIn(config, member), servers } };
  });
}

/** The interface of a container whose user is not root. It is alone. */
export function userMembership(
  { macAddress }: Pick<NetworkRequest, 'macAddress'>,
  takenSlots: readonly number[],
): ContainerNetwork {
  const { address, prefix, gateway, mtu } = USER_ADDRESSES;
  const [slot] = networkSlots(takenSlots);
  if (slot === undefined) {
    throw new HrunError('USAGE', 'a container with so many disks can have no network', {
      hint: 'use --network none',
    });
  }
  return {
    ...{ network: USER_NETWORK, networkId: '', bridge: '', tap: '', aliases: [], internal: false },
    ...{ address, prefix, gateway, mtu, slot, interface: 'eth0', metric: 0 },
    mac: macAddress?.toLowerCase() ?? macOf(address),
  };
}

function passtNic({ slot, mac, address, prefix, gateway, mtu }: ContainerNetwork): VmNic {
  const passt = { program: findPasst() ?? '/usr/bin/passt', gateway, resolver: USER_ADDRESSES.resolver };
  return { slot, mac, addresses: [`${address}/${prefix}`], mtu, passt };
}

function insideNic(
  { slot, mac, tap, mtu, interface: name }: ContainerNetwork,
  { addresses, namespace }: CniNetwork,
): VmNic {
  const own = addresses.map(({ address, prefix }) => `${address}/${prefix}`);
  return { slot, mac, addresses: own, inside: { namespace, interface: name }, tap, mtu };
}

/** What the other containers of a network may call it, its own name first. */
export function namesIn(
  { name, id, hostname }: Pick<ContainerConfig, 'name' | 'id' | 'hostname'>,
  { aliases = [] }: ContainerNetwork,
): string[] {
  return [...new Set([name, ...aliases, shortId(id), hostname])];
}

/** The interfaces' part of CONFIGURE. */
export function guestNics(networks: readonly ContainerNetwork[]): GuestNic[] {
  return networks.map((member) => {
    const { slot, interface: name, mac, mtu, metric, internal, cni } = member;
    if (cni)
      return { slot, name, mac, mtu, metric, addresses: cni.addresses, gateways: [], routes: cni.routes };
    const families = familiesOf(member);
    return {
      ...{ slot, name, mac, mtu, metric },
      addresses: families.map(({ address, prefix }) => ({ address, prefix })),
      gateways: internal ? [] : families.map(({ gateway }) => gateway),
    };
  });
}

function familiesOf(member: ContainerNetwork): Pick<ContainerNetwork, 'address' | 'prefix' | 'gateway'>[] {
  return member.ipv6 ? [member, member.ipv6] : [member];
}

function prefixOf(subnet: string): number {
  return Number(subnet.split('/')[1]);
}

/** What the container's own files say of its networks; undefined without any. */
export function guestNetwork(
  networks: readonly ContainerNetwork[],
  dns: ContainerOptions['dns'],
): GuestNetwork | undefined {
  const outward = outermost(networks);
  if (!outward) return undefined;
  const serving = outermost(networks.filter(({ network }) => servesNames({ name: network })));
  return {
    addresses: networks.flatMap(addressesOf),
    gateway: outward.gateway,
    resolvers: serving ? networkResolvers(dns, serving.gateway) : outerResolvers(outward, dns),
  };
}

/** Of a network without a DNS server of ours. Whom plug-ins name, the host's own search domains and options say nothing of. */
function outerResolvers({ network, cni }: ContainerNetwork, dns: ContainerOptions['dns']): string {
  if (network === USER_NETWORK && dns.servers.length === 0)
    return resolvers({ ...dns, servers: [USER_ADDRESSES.resolver] });
  if (!cni || cni.dns.servers.length === 0 || dns.servers.length > 0) return resolvers(dns);
  return resolverText({
    servers: cni.dns.servers,
    search: dns.search.length > 0 ? dns.search : cni.dns.search,
    options: dns.options.length > 0 ? dns.options : cni.dns.options,
  });
}

/** USAGE unless it is the address of one station. */
export function checkMac(mac: string | undefined): void {
  if (mac === undefined || MAC_PATTERN.test(mac.toLowerCase())) return;
  throw new HrunError('USAGE', `invalid MAC address ${mac}`, {
    hint: 'use six pairs of hexadecimal digits, the first even, such as 02:42:ac:1f:00:05',
  });
}

/** The first network that leads out, else the first. */
function outermost(networks: readonly ContainerNetwork[]): ContainerNetwork | undefined {
  return networks.find(({ internal }) => !internal) ?? networks[0];
}

/** As Docker does: the same address has the same MAC address whoever has it, so no neighbour remembers a wrong one. */
function macOf(address: string): string {
  const digits = parseIPv4(address)!.toString(16).padStart(8, '0');
  return `02:42:${digits.match(/../g)!.join(':')}`;
}

function lowestFree(taken: readonly number[]): number {
  for (let number = 0; ; number++) if (!taken.includes(number)) return number;
}
