// SPDX-License-Identifier: Apache-2.0
// /etc/resolv.conf of a container: the host's, as far as its servers can be reached from another machine.
import { readFileSync } from 'node:fs';
import { isIPv4 } from 'node:net';

/** What --dns, --dns-search and --dns-option ask for. */
export interface ResolverOptions {
  servers: readonly string[];
  /** "." for none */
  search: readonly string[];
  options: readonly string[];
}

/** The second is where systemd-resolved, itself on the loopback, tells which servers it asks. */
const HOST_FILES = ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf'];
/** Docker's, for a host whose servers a container cannot reach. */
const PUBLIC_SERVERS = ['8.8.8.8', '8.8.4.4'];

/** The text of a container's resolv.conf(5). `hostFiles` are read in order until one names a server. */
export function resolvers(asked: ResolverOptions, hostFiles: readonly string[] = HOST_FILES): string {
  const hosts = hostFiles.map(readIfThere);
  const servers = asked.servers.length > 0 ? asked.servers : hostServers(hosts);
  const search = asked.search.length > 0 ? asked.search : wordsOf(hosts[0] ?? '', 'search').flat();
  const options = asked.options.length > 0 ? asked.options : wordsOf(hosts[0] ?? '', 'options').flat();
  const lines = [
    ...servers.map((server) => `nameserver ${server}`),
    ...(search.length > 0 && search[0] !== '.' ? [`search ${search.join(' ')}`] : []),
    ...(options.length > 0 ? [`options ${options.join(' ')}`] : []),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

function hostServers(hosts: readonly string[]): readonly string[] {
  const reachable = hosts.map((text) =>
    wordsOf(text, 'nameserver')
      .flatMap(([server]) => server ?? [])
      .filter(isReachable),
  );
  return reachable.find((servers) => servers.length > 0) ?? PUBLIC_SERVERS;
}

/** The container's own loopback is not the host's, and it has no IPv6. */
function isReachable(server: string): boolean {
  return isIPv4(server) && !server.startsWith('127.');
}

/** The words behind a keyword, of each of its lines. */
function wordsOf(text: string, keyword: string): string[][] {
  return text
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([first]) => first === keyword)
    .map(([, ...words]) => words);
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
