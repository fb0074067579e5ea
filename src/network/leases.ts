// SPDX-License-Identifier: Apache-2.0
// networks/<name>/leases/<address>: a file that holds the id of the container whose address it is. All of it only while holding
// the lock of all networks.
import { readFileSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { writeFileAtomic } from '../base/atomic-file.ts';
import { listDirectory } from '../base/directory.ts';
import { errnoOf } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import { addressInUse, noAddressLeft, notInSubnet } from './address-errors.ts';
import { freeAddress6, wantedAddress6 } from './leases6.ts';
import { type Network, networkDirectory } from './network.ts';
import { contains, formatIPv4, isStation, parseIPv4, parseSubnet, type Subnet, sizeOf } from './subnet.ts';

export interface Lease {
  address: string;
  /** of the container */
  id: string;
}

/** The addresses of one container in a network. */
export interface Leased {
  address: string;
  /** in a network that has IPv6 */
  address6: string | undefined;
}

/** Gives a container addresses of a network: those that it asks for, else the lowest free ones. USAGE, ADDRESS_IN_USE: then it has none. */
export async function takeLeases(
  root: Root,
  network: Network,
  id: string,
  { ip, ip6 }: { ip: string | undefined; ip6: string | undefined },
): Promise<Leased> {
  const taken = new Set(listLeases(root, network).map(({ address }) => address)).add(network.gateway);
  const address = ip === undefined ? lowestFree(network, taken) : checkWanted(network, ip, taken);
  const address6 = chooseAddress6(network, address, ip6, taken);
  await writeLease(root, network, id, address);
  if (address6 !== undefined) await writeLease(root, network, id, address6);
  return { address, address6 };
}

/** Writes down that a container has an address, whoever had it before. */
export async function writeLease(root: Root, network: Network, id: string, address: string): Promise<void> {
  await mkdir(leasesDirectory(root, network.name), { recursive: true, mode: 0o700 });
  await writeFileAtomic(leasePath(root, network, address), id, { mode: 0o600 });
}

/** The file that says whose an address is. */
export function leasePath(root: Root, network: Network, address: string): string {
  return join(leasesDirectory(root, network.name), address);
}

/** The leases of a network, in no order. What is no address is passed over. */
export function listLeases(root: Root, network: Network): Lease[] {
  const directory = leasesDirectory(root, network.name);
  return listDirectory(directory)
    .filter((name) => isIP(name) !== 0)
    .flatMap((address) => lease(directory, address) ?? []);
}

/** Takes back what a container has of the network, if `isHolder` says so of its id and the address. */
export function releaseLeases(
  root: Root,
  network: Network,
  isHolder: (id: string, address: string) => boolean,
): void {
  for (const { address, id } of listLeases(root, network)) {
    if (isHolder(id, address)) rmSync(join(leasesDirectory(root, network.name), address), { force: true });
  }
}

function lowestFree(network: Network, taken: ReadonlySet<string>): string {
  const subnet = parseSubnet(network.subnet)!;
  const range: Subnet = parseSubnet(network.ipRange ?? network.subnet)!;
  const end = range.first + sizeOf(range);
  for (let address = range.first; address < end; address++) {
    const text = formatIPv4(address);
    if (isStation(subnet, address) && !taken.has(text)) return text;
  }
  throw noAddressLeft(network);
}

function chooseAddress6(
  network: Network,
  address: string,
  wanted: string | undefined,
  taken: ReadonlySet<string>,
): string | undefined {
  if (network.ipv6 && wanted === undefined) return freeAddress6(network, network.ipv6, address, taken);
  if (wanted === undefined) return undefined;
  return wantedAddress6(network, wanted, taken);
}

function checkWanted(network: Network, wanted: string, taken: ReadonlySet<string>): string {
  const subnet = parseSubnet(network.subnet)!;
  const address = parseIPv4(wanted);
  if (address === undefined || !contains(subnet, address) || !isStation(subnet, address)) {
    throw notInSubnet(network, wanted, network.subnet);
  }
  if (!taken.has(wanted)) return wanted;
  throw addressInUse(network, wanted);
}

/** One that a crash left empty, which rename(2) after a sync forbids, is nobody's. */
function lease(directory: string, address: string): Lease | undefined {
  try {
    return { address, id: readFileSync(join(directory, address), 'utf8') };
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function leasesDirectory(root: Root, name: string): string {
  return join(networkDirectory(root, name), 'leases');
}
