// SPDX-License-Identifier: Apache-2.0
// IPv6 addresses and subnets as numbers.
import { randomBytes } from 'node:crypto';
import { isIPv6 } from 'node:net';

/** All addresses from `first` on that have the same `prefix` bits. */
export interface Subnet6 {
  /** its lowest address, as a number */
  first: bigint;
  /** 0 to 128 */
  prefix: number;
}

const BITS = 128;
const GROUP_BITS = 16n;
/** RFC 4193 */
const LOCAL = 0xfd00n << 112n;
const LOCAL_RANDOM_BYTES = 5;
const LOCAL_RANDOM_SHIFT = 80n;
const LOCAL_PREFIX = 64;

/** An address as a number; undefined for any other text, one with a zone too. */
export function parseIPv6(text: string): bigint | undefined {
  if (!isIPv6(text) || text.includes('%')) return undefined;
  const [before = [], after] = text.split('::').map(groups);
  const zeros = after ? Array<bigint>(8 - before.length - after.length).fill(0n) : [];
  return [...before, ...zeros, ...(after ?? [])].reduce((value, group) => (value << GROUP_BITS) | group, 0n);
}

/** As inet_ntop(3) writes it, which names of leases have to be: RFC 5952. */
export function formatIPv6(address: bigint): string {
  const words = Array.from({ length: 8 }, (_, at) =>
    ((address >> (GROUP_BITS * BigInt(7 - at))) & 0xffffn).toString(16),
  );
  const run = longestZeros(words);
  if (run.length < 2) return words.join(':');
  return `${words.slice(0, run.start).join(':')}::${words.slice(run.start + run.length).join(':')}`;
}

/** "fd00:1::/64", with no bits set behind the prefix; undefined for any other text. */
export function parseSubnet6(text: string): Subnet6 | undefined {
  const [address = '', bits = '', ...rest] = text.split('/');
  const first = parseIPv6(address);
  if (first === undefined || rest.length > 0 || !isPrefix6(bits)) return undefined;
  const subnet = { first, prefix: Number(bits) };
  return first % sizeOf6(subnet) === 0n ? subnet : undefined;
}

/** True for the text of a prefix's length, 0 to 128. */
export function isPrefix6(text: string): boolean {
  return /^(?:0|[1-9]\d{0,2})$/.test(text) && Number(text) <= BITS;
}

export function formatSubnet6({ first, prefix }: Subnet6): string {
  return `${formatIPv6(first)}/${prefix}`;
}

/** How many addresses it has. */
export function sizeOf6({ prefix }: Pick<Subnet6, 'prefix'>): bigint {
  return 1n << BigInt(BITS - prefix);
}

export function contains6(subnet: Subnet6, address: bigint): boolean {
  return address >= subnet.first && address < subnet.first + sizeOf6(subnet);
}

export function overlaps6(one: Subnet6, other: Subnet6): boolean {
  return contains6(one, other.first) || contains6(other, one.first);
}

/** True for an address that a station can have: the lowest is that of any router (RFC 4291, 2.6.1). */
export function isStation6(subnet: Subnet6, address: bigint): boolean {
  return address !== subnet.first && contains6(subnet, address);
}

/** A subnet that nobody else is likely to have: RFC 4193. */
export function randomLocalSubnet(): Subnet6 {
  const id = BigInt(`0x${randomBytes(LOCAL_RANDOM_BYTES).toString('hex')}`);
  return { first: LOCAL | (id << LOCAL_RANDOM_SHIFT), prefix: LOCAL_PREFIX };
}

function groups(text: string): bigint[] {
  return text
    .split(':')
    .filter(Boolean)
    .flatMap((word) => {
      if (!word.includes('.')) return [BigInt(`0x${word}`)];
      const [a = 0, b = 0, c = 0, d = 0] = word.split('.').map(Number);
      return [BigInt(a * 256 + b), BigInt(c * 256 + d)];
    });
}

function longestZeros(words: readonly string[]): { start: number; length: number } {
  let longest = { start: 0, length: 0 };
  for (let start = 0; start < words.length; start++) {
    const end = words.findIndex((word, at) => at >= start && word !== '0');
    const length = (end < 0 ? words.length : end) - start;
    if (length > longest.length) longest = { start, length };
  }
  return longest;
}
