// SPDX-License-Identifier: Apache-2.0
// Which servers stand for a registry, and what each may be told.
import type { RegistrySettings, RegistryTable } from './settings.ts';

/** One server to ask: a mirror or the registry itself. */
export interface ServerAddress {
  /** key of its login and settings: host[:port], or `docker.io` */
  readonly name: string;
  /** scheme and authority; `undefined` scheme of a loopback registry is found out by asking */
  readonly scheme: 'http:' | 'https:' | undefined;
  readonly authority: string;
  readonly settings: RegistrySettings;
}

const DOCKER_HUB = 'docker.io';
const DOCKER_HUB_AUTHORITY = 'registry-1.docker.io';

/** The servers to ask for images of `domain`, in order: its mirrors, then itself. */
export function serversOf(domain: string, table: RegistryTable): ServerAddress[] {
  const settings = settingsOf(domain, table);
  const mirrors = (settings.mirrors ?? []).map((mirror) => mirrorAddress(new URL(mirror), table));
  return [...mirrors, ownAddress(domain, settings)];
}

/** The registry itself, without mirrors: what a login is for. */
export function ownAddress(domain: string, settings: RegistrySettings): ServerAddress {
  const authority = domain === DOCKER_HUB ? DOCKER_HUB_AUTHORITY : domain;
  const scheme = settings.plainHttp ? 'http:' : isLoopback(hostOf(authority)) ? undefined : 'https:';
  return { name: domain, scheme, authority, settings };
}

export function settingsOf(domain: string, table: RegistryTable): RegistrySettings {
  return Object.hasOwn(table, domain) ? table[domain]! : {};
}

/** True for hosts that never leave this machine. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}

/** Plain http is for loopback and for servers that the configuration says so of. */
export function mayUse(url: URL, table: RegistryTable): boolean {
  if (url.protocol === 'https:') return true;
  return (
    url.protocol === 'http:' && (isLoopback(url.hostname) || settingsOf(url.host, table).plainHttp === true)
  );
}

/**
 * May the password of `server` (at `origin`) be given to the token server `realm` that it names? Docker
 * gives it to any. Here: to the same origin; to the same host or the same site (the last two labels of the
 * name) if the realm is https or both are on loopback; to another site only if the configuration names it.
 */
export function mayReceivePassword(realm: URL, origin: URL, settings: RegistrySettings): boolean {
  if (realm.origin === origin.origin) return true;
  if (settings.tokenRealms?.some((allowed) => new URL(allowed).origin === realm.origin)) return true;
  if (isLoopback(realm.hostname) && isLoopback(origin.hostname)) return true;
  return realm.protocol === 'https:' && siteOf(realm.hostname) === siteOf(origin.hostname);
}

function mirrorAddress(url: URL, table: RegistryTable): ServerAddress {
  return {
    name: url.host,
    scheme: url.protocol as 'http:' | 'https:',
    authority: url.host,
    settings: settingsOf(url.host, table),
  };
}

function hostOf(authority: string): string {
  return authority.replace(/:\d+$/, '');
}

/** `auth.docker.io` → `docker.io`; an address is a site of its own. */
function siteOf(hostname: string): string {
  if (hostname.startsWith('[') || /^[\d.]+$/.test(hostname)) return hostname;
  return hostname.split('.').slice(-2).join('.');
}
