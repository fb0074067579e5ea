// SPDX-License-Identifier: Apache-2.0
// struct hrun_nic, hrun_nic_address and hrun_nic_route of initrd/protocol.h.
import { isIPv4, isIPv6 } from 'node:net';
import { AddressFamily, AddressFlags, ConfigureTag, NIC_NAME_SIZE, RouteFlags } from './protocol.ts';
import type { TlvWriter } from './tlv.ts';

/** A virtio-net device as the container is to see it. */
export interface GuestNic {
  /** virtio-mmio slot */
  slot: number;
  name: string;
  /** six pairs of hexadecimal digits with colons */
  mac: string;
  /** bytes */
  mtu: number;
  /** of its default routes: the lowest is taken */
  metric: number;
  addresses: readonly GuestAddress[];
  /** at most one of each family */
  gateways: readonly string[];
  /** beside these */
  routes?: readonly GuestRoute[];
}

/** IPv4 or IPv6, in text, and how many of its bits are the network's. */
export interface GuestAddress {
  address: string;
  prefix: number;
  /** no route to its network comes with it */
  apart?: boolean;
}

/** Where packets go that a route of the interface says. */
export interface GuestRoute {
  /** the network, and how many bits it has */
  address: string;
  prefix: number;
  /** undefined: it is reached directly */
  gateway?: string;
  /** the gateway is reached directly, whatever other routes say */
  onLink?: boolean;
  /** 0 is the kernel's own */
  metric: number;
}

const ADDRESS_BYTES = 24;
const ROUTE_BYTES = 44;

/** Writes what HRUN_CONF_NIC, ADDRESS, GATEWAY and ROUTE say of the interfaces. */
export function writeNics(tlv: TlvWriter, nics: readonly GuestNic[]): void {
  for (const nic of nics) {
    tlv.bytes(ConfigureTag.NIC, nicBytes(nic));
    for (const { address, prefix, apart } of nic.addresses) {
      tlv.bytes(ConfigureTag.ADDRESS, addressBytes(nic.slot, address, prefix, apart));
    }
    for (const gateway of nic.gateways) tlv.bytes(ConfigureTag.GATEWAY, addressBytes(nic.slot, gateway, 0));
    for (const route of nic.routes ?? []) tlv.bytes(ConfigureTag.ROUTE, routeBytes(nic.slot, route));
  }
}

function nicBytes({ slot, name, mac, mtu, metric }: GuestNic): Buffer {
  if (name.length >= NIC_NAME_SIZE) throw new Error(`the name of interface ${name} is too long`);
  const bytes = Buffer.alloc(16 + NIC_NAME_SIZE);
  bytes.writeUInt32LE(slot, 0);
  bytes.writeUInt32LE(mtu, 4);
  bytes.write(mac.replaceAll(':', ''), 8, 6, 'hex');
  bytes.writeUInt16LE(metric, 14);
  bytes.write(name, 16, 'latin1');
  return bytes;
}

function addressBytes(slot: number, address: string, prefix: number, apart = false): Buffer {
  const bytes = Buffer.alloc(ADDRESS_BYTES);
  bytes.writeUInt32LE(slot, 0);
  bytes[4] = isIPv4(address) ? AddressFamily.IPV4 : AddressFamily.IPV6;
  bytes[5] = prefix;
  bytes.writeUInt16LE(apart ? AddressFlags.APART : 0, 6);
  networkOrder(address).copy(bytes, 8);
  return bytes;
}

function routeBytes(slot: number, { address, prefix, gateway, onLink, metric }: GuestRoute): Buffer {
  const bytes = Buffer.alloc(ROUTE_BYTES);
  bytes.writeUInt32LE(slot, 0);
  bytes[4] = isIPv4(address) ? AddressFamily.IPV4 : AddressFamily.IPV6;
  bytes[5] = prefix;
  bytes.writeUInt16LE(onLink ? RouteFlags.ONLINK : 0, 6);
  bytes.writeUInt32LE(metric, 8);
  networkOrder(address).copy(bytes, 12);
  if (gateway !== undefined) networkOrder(gateway).copy(bytes, 28);
  return bytes;
}

/** The 4 or 16 bytes of an address. */
function networkOrder(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  if (!isIPv6(address)) throw new Error(`${address} is not an IP address`);
  const [head = '', tail] = address.split('::');
  const before = groups(head);
  const after = groups(tail ?? '');
  return Buffer.from([...before, ...Array(16 - before.length - after.length).fill(0), ...after]);
}

function groups(text: string): number[] {
  const words = text.split(':').filter(Boolean);
  return words.flatMap((word) => {
    if (isIPv4(word)) return word.split('.').map(Number);
    const value = Number.parseInt(word, 16);
    return [value >> 8, value & 0xff];
  });
}
