// SPDX-License-Identifier: Apache-2.0
// /etc/resolv.conf of a container: the host's, as far as its servers can be reached from another machine.
import { readFileSync } from 'node:fs';
import { isIP, isIPv4 } from 'node:net';

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
  return resolverText({ servers, search, options });
}

/** The text of a resolv.conf(5) that says this and nothing else. */
export function resolverText({ servers, search, options }: ResolverOptions): string {
  const lines = [
    ...servers.map((server) => `nameserver ${server}`),
    ...(search.length > 0 && search[0] !== '.' ? [`search ${search.join(' ')}`] : []),
    ...(options.length > 0 ? [`options ${options.join(' ')}`] : []),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/** The text for a container whose network has a DNS server. Names of containers have no dots: they are asked for as they are (ndots:0). */
export function networkResolvers(
  asked: ResolverOptions,
  server: string,
  hostFiles: readonly string[] = HOST_FILES,
): string {
  const options =
    asked.options.length > 0 ? asked.options : wordsOf(readIfThere(hostFiles[0] ?? ''), 'options').flat();
  const hasDots = options.some((option) => option.startsWith('ndots:'));
  return resolvers(
    { ...asked, servers: [server], options: hasDots ? options : [...options, 'ndots:0'] },
    hostFiles,
  );
}

/** The servers that the host itself asks, those on its loopback too. */
export function hostNameServers(hostFile = HOST_FILES[0]!): readonly string[] {
  const servers = wordsOf(readIfThere(hostFile), 'nameserver').flatMap(([server]) => server ?? []);
  const addresses = servers.filter((server) => isIP(server) !== 0);
  return addresses.length > 0 ? addresses : PUBLIC_SERVERS;
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
