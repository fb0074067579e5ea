// SPDX-License-Identifier: Apache-2.0
// Making and removing networks. A name that begins with a dot is no network's: the lock, and what is half made or half removed.
import { randomBytes } from 'node:crypto';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { syncDirectory, writeFileAtomic } from '../base/atomic-file.ts';
import { listDirectory, makeDirectory } from '../base/directory.ts';
import { errnoOf, HrunError } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import { type FileLock, native } from '../native/index.ts';
import { planAddresses, type WantedAddresses } from './address-plan.ts';
import { isNetworkName, type Network, networkDirectory, readNetwork, storeTag } from './network.ts';
/** What a user asks of a new network; undefined leaves it to us. */
export interface NewNetwork extends WantedAddresses {
  name: string;
  mtu: number;
  internal: boolean;
  labels: Record<string, string>;
  options: Record<string, string>;
}

export const DEFAULT_MTU = 1500;
const LOCK = '.lock';
const UNFINISHED_PREFIX = '.unfinished-';

/** Until `release`, nobody else changes a network or its leases. Makes the directory of all networks if it is missing. */
export async function lockNetworks(root: Root): Promise<FileLock> {
  await makeDirectory(root.networks, 0o700);
  return await native().lockFile(join(root.networks, LOCK), { shared: false, wait: true });
}

/** Makes a network; NAME_IN_USE, or USAGE for addresses that cannot be. Only while holding the lock. */
export async function createNetwork(root: Root, wanted: NewNetwork): Promise<Network> {
  if (readNetwork(root, wanted.name)) {
    throw new HrunError('NAME_IN_USE', `network with name ${wanted.name} already exists`);
  }
  const { name, mtu, internal, labels, options } = wanted;
  const network: Network = {
    version: 1,
    id: randomBytes(32).toString('hex'),
    ...{ name, created: new Date().toISOString(), bridge: freeBridge(root) },
    ...planAddresses(wanted, listNetworks(root)),
    ...{ mtu, internal, labels, options },
  };
  const unfinished = unfinishedPath(root);
  try {
    await mkdir(unfinished, { mode: 0o700 });
    await writeFileAtomic(join(unfinished, 'network.json'), JSON.stringify(network), { mode: 0o600 });
    await rename(unfinished, networkDirectory(root, name));
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw error;
  }
  await syncDirectory(root.networks);
  return network;
}

/** Removes a network with its leases; one that is gone already is fine. Only while holding the lock. */
export async function deleteNetwork(root: Root, name: string): Promise<void> {
  try {
    await rename(networkDirectory(root, name), unfinishedPath(root));
    await syncDirectory(root.networks);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
  const left = listDirectory(root.networks).filter((entry) => entry.startsWith(UNFINISHED_PREFIX));
  for (const entry of left) await rm(join(root.networks, entry), { recursive: true, force: true });
}

/** The networks by name. One that cannot be read is left out. */
export function listNetworks(root: Root): Network[] {
  return listDirectory(root.networks)
    .filter(isNetworkName)
    .sort()
    .flatMap((name) => readable(root, name) ?? []);
}

/** The network of a name, an id or the unique beginning of one; NO_SUCH_NETWORK. */
export function findNetwork(root: Root, text: string): Network {
  const matches = /^[0-9a-f]+$/.test(text) ? listNetworks(root).filter(({ id }) => id.startsWith(text)) : [];
  const found = readNetwork(root, text) ?? (matches.length === 1 ? matches[0] : undefined);
  if (found) return found;
  throw new HrunError('NO_SUCH_NETWORK', `network ${text} not found`, { hint: 'see: hrun network ls' });
}

/** "hrun0" and up. */
function freeBridge(root: Root): string {
  const taken = new Set(listNetworks(root).map(({ bridge }) => bridge));
  const tag = storeTag(root);
  for (let index = 0; ; index++) {
    if (!taken.has(`${tag}${tag === 'hrun' ? '' : '-'}${index}`))
      return `${tag}${tag === 'hrun' ? '' : '-'}${index}`;
  }
}

function readable(root: Root, name: string): Network | undefined {
  try {
    return readNetwork(root, name);
  } catch {
    return undefined;
  }
}

function unfinishedPath(root: Root): string {
  return join(root.networks, `${UNFINISHED_PREFIX}${randomBytes(8).toString('hex')}`);
}
