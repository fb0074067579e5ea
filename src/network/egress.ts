// SPDX-License-Identifier: Apache-2.0
// networks/.egress/<id>: where a container may go to beyond its networks, out of reach of monitors in their jails. The network's name
// server reads it too (native/names/egress_policy.h). All of it only while holding the lock of all networks.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../base/atomic-file.ts';
import { listDirectory } from '../base/directory.ts';
import type { Root } from '../base/root.ts';
import { listLeases } from './leases.ts';
import { listNetworks } from './store.ts';

/** What is allowed; all else is denied. */
export interface EgressPolicy {
  /** "10.0.0.0/8", "fd00::/8" */
  subnets: readonly string[];
  /** "example.com", or "*.example.com" for every name below */
  names: readonly string[];
}

/** A container that may not go everywhere, and its addresses now. */
export interface Restriction extends EgressPolicy {
  id: string;
  addresses: readonly string[];
}

const DIRECTORY = '.egress';
const ID = /^[0-9a-f]{64}$/;

/** Writes down what a container may do, before it has an address. */
export async function restrictEgress(root: Root, id: string, policy: EgressPolicy): Promise<void> {
  await mkdir(directoryOf(root), { recursive: true, mode: 0o700 });
  const lines = [
    ...policy.subnets.map((subnet) => `subnet ${subnet}\n`),
    ...policy.names.map((name) => `name ${name}\n`),
  ];
  await writeFileAtomic(join(directoryOf(root), id), lines.join(''), { mode: 0o600 });
}

/** True for a container that may not go everywhere. */
export function isRestricted(root: Root, id: string): boolean {
  return existsSync(join(directoryOf(root), id));
}

/** Forgets the containers of which `isGone` says so; true if there were any. */
export function forgetEgress(root: Root, isGone: (id: string) => boolean): boolean {
  const gone = restrictedIds(root).filter(isGone);
  for (const id of gone) rmSync(join(directoryOf(root), id), { force: true });
  return gone.length > 0;
}

/** Every container that may not go everywhere. */
export function listRestrictions(root: Root): Restriction[] {
  const ids = restrictedIds(root);
  if (ids.length === 0) return [];
  const leases = listNetworks(root).flatMap((network) => listLeases(root, network));
  return ids.sort().map((id) => {
    const addresses = leases.filter((lease) => lease.id === id).map(({ address }) => address);
    return { id, addresses: addresses.sort(), ...policyOf(root, id) };
  });
}

function policyOf(root: Root, id: string): EgressPolicy {
  const lines = readFileSync(join(directoryOf(root), id), 'utf8').split('\n');
  const of = (word: string) =>
    lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));
  return { subnets: of('subnet'), names: of('name') };
}

function restrictedIds(root: Root): string[] {
  return listDirectory(directoryOf(root)).filter((name) => ID.test(name));
}

function directoryOf(root: Root): string {
  return join(root.networks, DIRECTORY);
}
