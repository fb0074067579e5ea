// SPDX-License-Identifier: Apache-2.0
import { isIP } from 'node:net';
import { HrunError } from '../base/errors.ts';

/** Names of a container as it sees itself. */
export interface GuestIdentity {
  hostname: string;
  domainname: string;
  /** HOST:IP, from --add-host */
  extraHosts: readonly string[];
  network: GuestNetwork | undefined;
}

/** What of a container's networks its files tell. */
export interface GuestNetwork {
  /** its own, the first network's first */
  addresses: readonly string[];
  /** the host's address in the network that leads out */
  gateway: string;
  /** text of resolv.conf */
  resolvers: string;
}

/** An --add-host of the host's own address. */
export const HOST_GATEWAY = /[:=]host-gateway$/;

const LABEL = '[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?';
const HOSTNAME = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`);
const MAX_HOSTNAME = 63;

const BASE_HOSTS = `127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::\tip6-localnet
ff00::\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
`;

/** The files of /etc that belong to the container rather than to its image; USAGE for a bad name or address. */
export function guestFiles(identity: GuestIdentity): Map<string, string> {
  return new Map([
    ['/etc/hosts', hosts(identity)],
    ['/etc/hostname', `${identity.hostname}\n`],
    ['/etc/resolv.conf', identity.network?.resolvers ?? '# no network\n'],
  ]);
}

/** Checks --hostname; USAGE unless the kernel and resolvers would take it. */
export function checkHostname(hostname: string): string {
  if (hostname.length <= MAX_HOSTNAME && HOSTNAME.test(hostname)) return hostname;
  throw new HrunError('USAGE', `invalid hostname: ${hostname}`, {
    hint: `use letters, digits, "-" and ".", at most ${MAX_HOSTNAME}`,
  });
}

function hosts({ hostname, domainname, extraHosts, network }: GuestIdentity): string {
  const own = domainname ? `${hostname}.${domainname} ${hostname}` : hostname;
  const added = extraHosts.map((text) => extraHost(text, network?.gateway)).join('');
  const lines = (network?.addresses ?? ['127.0.1.1']).map((address) => `${address}\t${own}\n`).join('');
  return `${BASE_HOSTS}${lines}${added}`;
}

/** HOST:IP or HOST=IP, the address in brackets or not; `host-gateway` for the host's address in the network. */
function extraHost(text: string, gateway: string | undefined): string {
  const [, name, address] = /^([^:=\s]+)[:=](\S+)$/.exec(text) ?? [];
  const ip = address === 'host-gateway' ? gateway : address?.replace(/^\[(.*)\]$/, '$1');
  if (name && ip && isIP(ip)) return `${ip}\t${name}\n`;
  throw new HrunError('USAGE', `invalid --add-host ${JSON.stringify(text)}`, { hint: 'use HOST:IP' });
}
