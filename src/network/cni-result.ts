// SPDX-License-Identifier: Apache-2.0
// What a CNI plug-in answers (CNI specification 1.0, section 5). It is somebody else's program: nothing of it is believed unseen.
import { isIP } from 'node:net';
import { isObject } from './cni-lists.ts';

/** Of the last plug-in of a list: what counts for the container as a whole. */
export interface CniResult {
  /** as the plug-in wrote it: the others are told of it */
  raw: Readonly<Record<string, unknown>>;
  /** with their prefixes */
  addresses: string[];
  dns: CniDns;
}

export interface CniDns {
  servers: string[];
  search: string[];
  options: string[];
}

const MOST = 64;
const INTERFACE = /^[^\s/]{1,15}$/;
const DOMAIN = /^[a-zA-Z0-9_](?:[a-zA-Z0-9_.-]{0,252}[a-zA-Z0-9_.])?$|^\.$/;
const OPTION = /^[a-zA-Z0-9_.:-]{1,64}$/;

/** Reads a result, or says in a few words why it is none. */
export function parseCniResult(text: string): CniResult | string {
  const raw = parse(text);
  if (!isObject(raw)) return 'is no JSON object';
  const interfaces = raw.interfaces ?? [];
  const ips = raw.ips ?? [];
  const routes = raw.routes ?? [];
  if (!isList(interfaces, isInterface)) return 'has interfaces that are none';
  if (!isList(ips, (ip) => isAddressOf(ip, interfaces.length))) return 'has addresses that are none';
  if (!isList(routes, isRoute)) return 'has routes that are none';
  const resolver = parseDns(raw.dns ?? {});
  if (!resolver) return 'has DNS settings that are none';
  return { raw, addresses: ips.map((ip) => String((ip as { address: string }).address)), dns: resolver };
}

/** What a plug-in that failed says about it, on one line: its error, else the end of its log, else undefined. */
export function cniFailure(output: string, log: string): string | undefined {
  const error = parse(output);
  if (isObject(error) && typeof error.msg === 'string' && error.msg !== '') {
    const details = typeof error.details === 'string' && error.details !== '' ? `: ${error.details}` : '';
    return oneLine(`${error.msg}${details}`);
  }
  return oneLine(log.trimEnd().split('\n').at(-1) ?? '') || undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isList(value: unknown, isOne: (entry: unknown) => boolean): value is unknown[] {
  return Array.isArray(value) && value.length <= MOST && value.every(isOne);
}

function isInterface(value: unknown): boolean {
  return isObject(value) && typeof value.name === 'string' && INTERFACE.test(value.name);
}

function isAddressOf(value: unknown, interfaces: number): boolean {
  if (!isObject(value) || !isCidr(value.address)) return false;
  const gateway = value.gateway ?? '';
  const index = value.interface ?? 0;
  const known =
    Number.isInteger(index) && (index as number) >= 0 && (index as number) < Math.max(1, interfaces);
  return known && (gateway === '' || (typeof gateway === 'string' && isIP(gateway) !== 0));
}

function isRoute(value: unknown): boolean {
  if (!isObject(value) || !isCidr(value.dst)) return false;
  const gw = value.gw ?? '';
  return gw === '' || (typeof gw === 'string' && isIP(gw) !== 0);
}

function isCidr(value: unknown): boolean {
  if (typeof value !== 'string') return false;
  const [, address = '', prefix] = /^(.+)\/(\d{1,3})$/.exec(value) ?? [];
  const family = isIP(address);
  return family !== 0 && Number(prefix) <= (family === 4 ? 32 : 128);
}

function parseDns(dns: unknown): CniDns | undefined {
  if (!isObject(dns)) return undefined;
  const { nameservers, domain, search, options } = dns;
  const servers = words(nameservers, (word) => isIP(word) !== 0);
  const domains = words(search, (word) => DOMAIN.test(word));
  const settings = words(options, (word) => OPTION.test(word));
  const own = words(domain === undefined || domain === null || domain === '' ? [] : [domain], (word) =>
    DOMAIN.test(word),
  );
  if (!servers || !domains || !settings || !own) return undefined;
  return { servers, search: domains.length > 0 ? domains : own, options: settings };
}

function words(value: unknown, isOne: (word: string) => boolean): string[] | undefined {
  const list = value ?? [];
  const good = isList(list, (word) => typeof word === 'string' && isOne(word));
  return good ? (list as string[]) : undefined;
}

function oneLine(text: string): string {
  return text.replace(/[\s\p{C}]+/gu, ' ').trim();
}
