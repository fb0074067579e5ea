// SPDX-License-Identifier: Apache-2.0
// networks/<name>: docs/networks.md.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf, HrunError } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import { USER_NETWORK } from './user-mode.ts';

/** network.json of a network's directory. */
export interface Network {
  version: 1;
  /** 64 hexadecimal digits */
  id: string;
  name: string;
  /** RFC 3339, UTC */
  created: string;
  /** interface of the host */
  bridge: string;
  /** "172.31.0.0/16" */
  subnet: string;
  /** the host's address in it */
  gateway: string;
  /** addresses are taken from here, unless asked for; else from the whole subnet */
  ipRange: string | undefined;
  /** its other family, if it has both */
  ipv6?: Network6;
  /** bytes */
  mtu: number;
  /** nothing but its own containers and the host can be reached */
  internal: boolean;
  labels: Record<string, string>;
  /** as given by -o */
  options: Record<string, string>;
}

/** IPv6 of a network. */
export interface Network6 {
  /** "fd00:1::/64" */
  subnet: string;
  /** the host's address in it */
  gateway: string;
  ipRange: string | undefined;
}

/** The network of containers that ask for none. */
export const DEFAULT_NETWORK = 'bridge';

const NETWORK_FILE = 'network.json';
const VALID = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/;
/** What --network means besides names of networks. */
const RESERVED = new Set(['none', 'host', 'default', 'container', USER_NETWORK]);
const TAP_NAME_LENGTH = 15;
const SYSTEM_ROOT = '/var/lib/hrun';

/** True for a name: only such a one is a network's directory. */
export function isNetworkName(text: string): boolean {
  return VALID.test(text);
}

/** Checks a name that a user gave a new network; USAGE. */
export function checkNetworkName(name: string): string {
  if (isNetworkName(name) && !RESERVED.has(name)) return name;
  throw new HrunError('USAGE', `invalid network name: ${name}`, {
    hint: 'use letters, digits, "_", "." and "-", and none of: none, host, default, container, passt',
  });
}

export function networkDirectory(root: Root, name: string): string {
  return join(root.networks, name);
}

export function networkFile(root: Root, name: string): string {
  return join(networkDirectory(root, name), NETWORK_FILE);
}

/**
 * What the names of a store's interfaces and tables begin with, so that two stores of one host never meet: "hrun" for root's own,
 * else "hr" and six digits of its path.
 */
export function storeTag(root: Root): string {
  if (root.dir === SYSTEM_ROOT) return 'hrun';
  return `hr${createHash('sha256').update(root.dir).digest('hex').slice(0, 6)}`;
}

/** The tap interface of a container's NIC, `index` below 36: as long as the kernel takes it, so that no two containers' meet. */
export function tapName(root: Root, containerId: string, index: number): string {
  const tag = storeTag(root);
  return `${tag}${containerId.slice(0, TAP_NAME_LENGTH - 1 - tag.length)}${index.toString(36)}`;
}

/** Reads a network; undefined when there is none of that name. STORE_CORRUPT when it is damaged. */
export function readNetwork(root: Root, name: string): Network | undefined {
  if (!isNetworkName(name)) return undefined;
  const path = networkFile(root, name);
  try {
    const network = JSON.parse(readFileSync(path, 'utf8')) as Network;
    if (network.version === 1 && network.name === name) return network;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new HrunError('STORE_CORRUPT', `${path} is damaged`, {
    hint: `remove ${networkDirectory(root, name)} once no container uses the network`,
  });
}
