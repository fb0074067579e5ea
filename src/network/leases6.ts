// SPDX-License-Identifier: Apache-2.0
// Which IPv6 address of a network a container gets.
import { addressInUse, noAddressLeft, notInSubnet } from './address-errors.ts';
import { contains6, formatIPv6, isStation6, parseIPv6, parseSubnet6, sizeOf6 } from './ipv6.ts';
import type { Network, Network6 } from './network.ts';
import { parseIPv4, parseSubnet } from './subnet.ts';

/**
 * A free address for the container of an IPv4 address: the one at the same place of the subnet, so that it comes with the same MAC address
 * whoever has it, else the lowest. ADDRESS_IN_USE.
 */
export function freeAddress6(
  network: Network,
  { subnet, ipRange, gateway }: Network6,
  address: string,
  taken: ReadonlySet<string>,
): string {
  const whole = parseSubnet6(subnet)!;
  const range = parseSubnet6(ipRange ?? subnet)!;
  const isFree = (candidate: bigint) => {
    const text = formatIPv6(candidate);
    return isStation6(whole, candidate) && text !== gateway && !taken.has(text);
  };
  const place = range.first + BigInt(parseIPv4(address)! - parseSubnet(network.subnet)!.first);
  if (contains6(range, place) && isFree(place)) return formatIPv6(place);
  for (let candidate = range.first; candidate < range.first + sizeOf6(range); candidate++) {
    if (isFree(candidate)) return formatIPv6(candidate);
  }
  throw noAddressLeft(network);
}

/** The address that a container asks for, if it can have it. USAGE, ADDRESS_IN_USE. */
export function wantedAddress6(network: Network, wanted: string, taken: ReadonlySet<string>): string {
  const address = parseIPv6(wanted);
  if (!network.ipv6 || address === undefined || !isStation6(parseSubnet6(network.ipv6.subnet)!, address))
    throw notInSubnet(network, wanted, network.ipv6?.subnet);
  const text = formatIPv6(address);
  if (taken.has(text) || text === network.ipv6.gateway) throw addressInUse(network, wanted);
  return text;
}
