// SPDX-License-Identifier: Apache-2.0
// networks/<name>/leases/<address>: a file that holds the id of the container whose address it is. All of it only while holding
// the lock of all networks.
import { readFileSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../base/atomic-file.ts';
import { listDirectory } from '../base/directory.ts';
import { errnoOf, HrunError } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import { type Network, networkDirectory } from './network.ts';
import { contains, formatIPv4, isStation, parseIPv4, parseSubnet, type Subnet, sizeOf } from './subnet.ts';

export interface Lease {
  address: string;
  /** of the container */
  id: string;
}

/** Gives a container an address of a network: the one that it asks for, else the lowest free one. USAGE, ADDRESS_IN_USE. */
export async function takeLease(
  root: Root,
  network: Network,
  id: string,
  wanted: string | undefined,
): Promise<string> {
  const directory = leasesDirectory(root, network.name);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const taken = new Set(listLeases(root, network).map(({ address }) => address)).add(network.gateway);
  const address = wanted === undefined ? lowestFree(network, taken) : checkWanted(network, wanted, taken);
  await writeFileAtomic(join(directory, address), id, { mode: 0o600 });
  return address;
}

/** The file that says whose an address is. */
export function leasePath(root: Root, network: Network, address: string): string {
  return join(leasesDirectory(root, network.name), address);
}

/** The leases of a network, in no order. What is no address is passed over. */
export function listLeases(root: Root, network: Network): Lease[] {
  const directory = leasesDirectory(root, network.name);
  return listDirectory(directory)
    .filter((name) => parseIPv4(name) !== undefined)
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
  throw new HrunError('ADDRESS_IN_USE', `no address is left in network ${network.name}`, {
    hint: 'remove containers, or make a network with a larger subnet',
  });
}

function checkWanted(network: Network, wanted: string, taken: ReadonlySet<string>): string {
  const subnet = parseSubnet(network.subnet)!;
  const address = parseIPv4(wanted);
  if (address === undefined || !contains(subnet, address) || !isStation(subnet, address)) {
    throw new HrunError(
      'USAGE',
      `the address ${wanted} is not in the subnet ${network.subnet} of network ${network.name}`,
    );
  }
  if (!taken.has(wanted)) return wanted;
  throw new HrunError('ADDRESS_IN_USE', `the address ${wanted} is already in use`, {
    hint: `see: hrun network inspect ${network.name}`,
  });
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
