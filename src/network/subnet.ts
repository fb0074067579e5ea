// SPDX-License-Identifier: Apache-2.0
// IPv4 addresses and subnets as numbers.
import { isIPv4 } from 'node:net';

/** All addresses from `first` on that have the same `prefix` bits. */
export interface Subnet {
  /** its lowest address, as a number */
  first: number;
  /** 0 to 32 */
  prefix: number;
}

/** An address as a number; undefined for any other text. */
export function parseIPv4(text: string): number | undefined {
  if (!isIPv4(text)) return undefined;
  return text.split('.').reduce((value, byte) => value * 256 + Number(byte), 0);
}

export function formatIPv4(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join('.');
}

/** "172.31.0.0/16", with no bits set behind the prefix; undefined for any other text. */
export function parseSubnet(text: string): Subnet | undefined {
  const [address = '', bits = '', ...rest] = text.split('/');
  const first = parseIPv4(address);
  if (first === undefined || rest.length > 0 || !isPrefix(bits)) return undefined;
  const subnet = { first, prefix: Number(bits) };
  return first % sizeOf(subnet) === 0 ? subnet : undefined;
}

/** True for the text of a prefix's length, 0 to 32. */
export function isPrefix(text: string): boolean {
  return /^(?:\d|[12]\d|3[0-2])$/.test(text);
}

export function formatSubnet({ first, prefix }: Subnet): string {
  return `${formatIPv4(first)}/${prefix}`;
}

/** How many addresses it has. */
export function sizeOf({ prefix }: Subnet): number {
  return 2 ** (32 - prefix);
}

export function contains(subnet: Subnet, address: number): boolean {
  return address >= subnet.first && address < subnet.first + sizeOf(subnet);
}

export function overlaps(one: Subnet, other: Subnet): boolean {
  return contains(one, other.first) || contains(other, one.first);
}

/** True for an address that a station can have: neither the subnet's own nor its broadcast address. */
export function isStation(subnet: Subnet, address: number): boolean {
  return address > subnet.first && address < subnet.first + sizeOf(subnet) - 1;
}
