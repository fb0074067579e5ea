// SPDX-License-Identifier: Apache-2.0
// The subnets of a new network: those that a user asks for, or some that nobody else has.
import { isIPv6 } from 'node:net';
import { HrunError } from '../base/errors.ts';
import { freeSubnet, hostRoutes, hostRoutes6 } from './host-routes.ts';
import {
  contains6,
  formatIPv6,
  formatSubnet6,
  isStation6,
  overlaps6,
  parseIPv6,
  parseSubnet6,
  randomLocalSubnet,
  type Subnet6,
} from './ipv6.ts';
import type { Network, Network6 } from './network.ts';
import {
  contains,
  formatIPv4,
  formatSubnet,
  isStation,
  overlaps,
  parseIPv4,
  parseSubnet,
  type Subnet,
} from './subnet.ts';

/** Addresses as a user gives them, of both families, in no order; what is missing is left to us. */
export interface WantedAddresses {
  ipv6: boolean;
  subnets: readonly string[];
  gateways: readonly string[];
  ipRanges: readonly string[];
}

/** the smallest that holds the gateway and two containers */
const LONGEST_PREFIX = 29;
const RANDOM_ATTEMPTS = 100;
const LONGEST_PREFIX6 = 125;
const SHORTEST_PREFIX6 = 16;
/** where stations of a network can be: global and local unicast addresses (RFC 4291, 2.4; RFC 4193) */
const UNICAST6: readonly Subnet6[] = [
  { first: 0x2000n << 112n, prefix: 3 },
  { first: 0xfc00n << 112n, prefix: 7 },
];
const CANONICAL_HINT =
  'use an IPv6 subnet from /16 to /125 with no bits behind the prefix, such as fd00:1::/64';

/** Addresses of a new network beside those of `networks`. USAGE, ADDRESS_IN_USE. */
export function planAddresses(
  wanted: WantedAddresses,
  networks: readonly Network[],
): Pick<Network, 'subnet' | 'gateway' | 'ipRange' | 'ipv6'> {
  const subnets = ofFamilies('--subnet', wanted.subnets, wanted);
  const gateways = ofFamilies('--gateway', wanted.gateways, wanted);
  const ranges = ofFamilies('--ip-range', wanted.ipRanges, wanted);
  const four = planIPv4({ subnet: subnets[0], gateway: gateways[0], ipRange: ranges[0] }, networks);
  if (!wanted.ipv6) return four;
  const ipv6 = planIPv6({ subnet: subnets[1], gateway: gateways[1], ipRange: ranges[1] }, networks);
  return { ...four, ipv6 };
}

interface Wanted {
  subnet: string | undefined;
  gateway: string | undefined;
  ipRange: string | undefined;
}

/** One of each family, IPv4 first. */
function ofFamilies(
  option: string,
  texts: readonly string[],
  { ipv6 }: WantedAddresses,
): [string | undefined, string | undefined] {
  const [four = [], six = []] = [false, true].map((wanted) =>
    texts.filter((text) => isIPv6(text.replace(/\/.*$/, '')) === wanted),
  );
  if (six.length > 0 && !ipv6)
    throw new HrunError('USAGE', `${option} ${six[0]} is IPv6, which the network does not have`, {
      hint: 'use --ipv6',
    });
  if (four.length > 1 || six.length > 1)
    throw new HrunError('USAGE', `${option}: a network has one subnet of each family`, {
      hint: 'leave one out',
    });
  return [four[0], six[0]];
}

function planIPv4(
  wanted: Wanted,
  networks: readonly Network[],
): Pick<Network, 'subnet' | 'gateway' | 'ipRange'> {
  const others = networks.map(({ subnet }) => parseSubnet(subnet)!);
  const subnet =
    wanted.subnet === undefined
      ? anySubnet([...others, ...hostRoutes()])
      : givenSubnet(wanted.subnet, others);
  const gateway = parseIPv4(wanted.gateway ?? formatIPv4(subnet.first + 1));
  if (gateway === undefined || !isStation(subnet, gateway))
    throw wrongGateway(wanted.gateway, formatSubnet(subnet));
  const range = wanted.ipRange === undefined ? undefined : parseSubnet(wanted.ipRange);
  if (
    wanted.ipRange !== undefined &&
    (!range || range.prefix < subnet.prefix || !contains(subnet, range.first))
  )
    throw wrongRange(wanted.ipRange, formatSubnet(subnet));
  return { subnet: formatSubnet(subnet), gateway: formatIPv4(gateway), ipRange: wanted.ipRange };
}

function planIPv6(wanted: Wanted, networks: readonly Network[]): Network6 {
  const others = networks.flatMap(({ ipv6 }) => (ipv6 ? [parseSubnet6(ipv6.subnet)!] : []));
  const subnet =
    wanted.subnet === undefined
      ? anySubnet6([...others, ...hostRoutes6()])
      : givenSubnet6(wanted.subnet, others);
  const gateway = parseIPv6(wanted.gateway ?? formatIPv6(subnet.first + 1n));
  if (gateway === undefined || !isStation6(subnet, gateway))
    throw wrongGateway(wanted.gateway, formatSubnet6(subnet));
  const range = wanted.ipRange === undefined ? undefined : parseSubnet6(wanted.ipRange);
  if (
    wanted.ipRange !== undefined &&
    (!range || range.prefix < subnet.prefix || !contains6(subnet, range.first))
  )
    throw wrongRange(wanted.ipRange, formatSubnet6(subnet));
  return {
    subnet: formatSubnet6(subnet),
    gateway: formatIPv6(gateway),
    ipRange: range && formatSubnet6(range),
  };
}

function anySubnet(taken: readonly Subnet[]): Subnet {
  const subnet = freeSubnet(taken);
  if (subnet) return subnet;
  throw noSubnet('no subnet is left that neither a network nor a route of this host uses');
}

/** Of 2^40, unless a route of the host leads to a good part of them. */
function anySubnet6(taken: readonly Subnet6[]): Subnet6 {
  for (let attempt = 0; attempt < RANDOM_ATTEMPTS; attempt++) {
    const subnet = randomLocalSubnet();
    if (!taken.some((other) => overlaps6(other, subnet))) return subnet;
  }
  throw noSubnet('a route of this host leads to fd00::/8: no IPv6 subnet can be chosen');
}

function givenSubnet(text: string, others: readonly Subnet[]): Subnet {
  const subnet = parseSubnet(text);
  if (!subnet || subnet.prefix > LONGEST_PREFIX || subnet.prefix < 8) {
    throw new HrunError('USAGE', `invalid subnet ${text}`, {
      hint: `use an IPv4 subnet from /8 to /${LONGEST_PREFIX} with no bits behind the prefix, such as 10.5.0.0/24`,
    });
  }
  if (others.some((other) => overlaps(other, subnet))) throw overlapping(text);
  return subnet;
}

function givenSubnet6(text: string, others: readonly Subnet6[]): Subnet6 {
  const subnet = parseSubnet6(text);
  if (!subnet || subnet.prefix > LONGEST_PREFIX6 || subnet.prefix < SHORTEST_PREFIX6)
    throw new HrunError('USAGE', `invalid subnet ${text}`, { hint: CANONICAL_HINT });
  if (!UNICAST6.some((range) => contains6(range, subnet.first)))
    throw new HrunError('USAGE', `invalid subnet ${text}: no station can have its addresses`, {
      hint: 'use one of fc00::/7 or 2000::/3, such as fd00:1::/64',
    });
  if (others.some((other) => overlaps6(other, subnet))) throw overlapping(text);
  return subnet;
}

function noSubnet(message: string): HrunError {
  return new HrunError('ADDRESS_IN_USE', message, { hint: 'name one: hrun network create --subnet' });
}

function overlapping(text: string): HrunError {
  return new HrunError('ADDRESS_IN_USE', `the subnet ${text} overlaps that of another network`, {
    hint: 'see: hrun network inspect',
  });
}

function wrongGateway(gateway: string | undefined, subnet: string): HrunError {
  return new HrunError('USAGE', `the gateway ${gateway} is not in the subnet ${subnet}`);
}

function wrongRange(range: string, subnet: string): HrunError {
  return new HrunError('USAGE', `--ip-range ${range} is not a part of the subnet ${subnet}`);
}
