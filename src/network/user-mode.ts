// SPDX-License-Identifier: Apache-2.0
// The network of a container whose user is not root: passt(1) makes sockets of that user of what the guest sends. docs/networks.md,
// "Without root".
import { readFileSync } from 'node:fs';
import { isExecutable } from '../base/executable.ts';

/** Its name, where networks have theirs. */
export const USER_NETWORK = 'passt';

/** The same in every container: nobody else sees it. */
export const USER_ADDRESSES = {
  address: '10.0.2.15',
  prefix: 24,
  gateway: '10.0.2.2',
  /** leads to the first of the host's DNS servers, on its loopback too */
  resolver: '10.0.2.3',
  /** bytes: the most that passt takes, for every packet is a system call */
  mtu: 65520,
};

const PATHS = ['/usr/bin/passt', '/usr/local/bin/passt', '/bin/passt'];

/** Why there can be none here; undefined if there can. */
export function userNetworkObstacle(routes = '/proc/net/route'): string | undefined {
  if (findPasst() === undefined) return 'passt is not installed (package passt)';
  if (!leadsOut(routes)) return 'the host has no default route, which passt needs';
  return undefined;
}

/** Where passt is; undefined when it is not installed. */
export function findPasst(): string | undefined {
  return PATHS.find(isExecutable);
}

/** A line of /proc/net/route with destination and mask 0. */
function leadsOut(path: string): boolean {
  const lines = readFileSync(path, 'utf8').split('\n').slice(1);
  return lines.some((line) => {
    const [, destination, , , , , , mask] = line.split('\t');
    return destination === '00000000' && mask === '00000000';
  });
}
