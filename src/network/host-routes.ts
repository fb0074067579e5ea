// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs';
import type { Subnet6 } from './ipv6.ts';
import { overlaps, type Subnet } from './subnet.ts';

/** Where a network's subnet is taken from when none is asked for: Docker's own ranges are left to Docker. */
const POOL: readonly Subnet[] = [
  ...range(31, (n) => ({ first: 172 * 2 ** 24 + (31 - n) * 2 ** 16, prefix: 16 })).slice(0, 2),
  ...range(200, (n) => ({ first: 10 * 2 ** 24 + (200 - n) * 2 ** 16, prefix: 16 })),
];

const ROUTES6 = '/proc/net/ipv6_route';
/** RTF_ADDRCONF of linux/ipv6_route.h */
const FROM_ROUTER = 0x00040000;

/** The subnets that this host sends to an interface rather than to its default gateway. */
export function hostRoutes(text = readFileSync('/proc/net/route', 'utf8')): Subnet[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => route(line.split('\t')))
    .filter(({ prefix }) => prefix > 0);
}

/** The same of IPv6; none on a host without it. */
export function hostRoutes6(path = ROUTES6): Subnet6[] {
  return routes6(path).filter(({ prefix }) => prefix > 0);
}

/** Interfaces of the host that have routes from router advertisements. */
export function routerTaughtLinks(path = ROUTES6): string[] {
  const taught = routes6(path).filter(({ flags }) => (flags & FROM_ROUTER) !== 0);
  return [...new Set(taught.map(({ link }) => link))];
}

/** Of /proc/net/ipv6_route: numbers in hexadecimal, the interface last. */
function routes6(path: string): (Subnet6 & { flags: number; link: string })[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [first, prefix = '', , , , , , , flags = '', link = ''] = line.trim().split(/\s+/);
      const number = (hex: string) => Number.parseInt(hex, 16);
      return { first: BigInt(`0x${first}`), prefix: number(prefix), flags: number(flags), link };
    });
}

/** The first subnet of the pool that neither the host nor another network uses; undefined when there is none. */
export function freeSubnet(taken: readonly Subnet[]): Subnet | undefined {
  return POOL.find((subnet) => !taken.some((other) => overlaps(subnet, other)));
}

/** A line of /proc/net/route: destination and mask are numbers in the processor's byte order, in hexadecimal. */
function route([, destination, , , , , , mask]: string[]): Subnet[] {
  if (!destination || !mask) return [];
  const bits = swapped(mask).toString(2).replaceAll('0', '').length;
  return [{ first: swapped(destination), prefix: bits }];
}

function swapped(hex: string): number {
  return Buffer.from(hex, 'hex').readUInt32LE(0);
}

function range<T>(count: number, make: (n: number) => T): T[] {
  return Array.from({ length: count }, (_, n) => make(n));
}
