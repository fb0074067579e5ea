// SPDX-License-Identifier: Apache-2.0
// --publish and --expose, as Docker parses them (go-connections, nat.ParsePortSpec).
import { isIPv4, isIPv6 } from 'node:net';
import { HrunError } from '../../base/errors.ts';
import type { PortBinding } from '../../core/container-options.ts';
import { formatIPv6, parseIPv6 } from '../../network/index.ts';

const MOST = 65535;
const EXAMPLE = 'for example 8080:80, 127.0.0.1:8080:80/tcp, [::1]:8080:80, 8000-8010:80, 53:53/udp';

interface PortRange {
  first: number;
  last: number;
}

/** What -p asks for: `[[IP:]HOST_PORT[-LAST]:]PORT[-LAST][/PROTOCOL]`, or the same in words. USAGE, UNSUPPORTED. */
export function parsePublish(text: string): PortBinding[] {
  const spec = text.includes('=') ? shortForm(text) : text;
  const [, address = '', host = '', container = '', protocol] =
    /^(?:(?:(.*):)?([^:]*):)?([^:/]*)(?:\/(.*))?$/s.exec(spec) ?? [];
  const hostIp = checkAddress(address);
  if (container === '') throw wrong(`no port specified: ${spec}<empty>`);
  const ports = parseRange(container, 'containerPort', 1);
  const hosts = host === '' ? undefined : parseRange(host, 'hostPort', 0);
  const name = checkProtocol(protocol ?? 'tcp');
  if (hosts && sizeOf(ports) > 1 && sizeOf(hosts) !== sizeOf(ports)) {
    throw wrong(`invalid ranges specified for container and host Ports: ${container} and ${host}`);
  }
  return numbers(ports).map((port, index) => {
    return { protocol: name, port, hostIp, hostPort: hosts ? hostPort(hosts, ports, index) : '' };
  });
}

/** "80/tcp" for each port that --expose names. */
export function parseExpose(text: string): string[] {
  const [, range, protocol] = /^([\d-]+)(?:\/(.*))?$/.exec(text) ?? [];
  if (range === undefined)
    throw wrong(`invalid port format for --expose: ${text}`, 'use PORT[-LAST][/PROTOCOL]');
  const name = checkProtocol(protocol ?? 'tcp');
  return numbers(parseRange(range, 'range format for --expose', 1)).map((port) => `${port}/${name}`);
}

/** One port of the host for each of the container's; for a single one the whole range, of which one will be taken. */
function hostPort(hosts: PortRange, ports: PortRange, index: number): string {
  if (sizeOf(ports) > 1 || sizeOf(hosts) === 1) return String(hosts.first + index);
  return `${hosts.first}-${hosts.last}`;
}

/** target=80,published=8080,protocol=tcp */
function shortForm(text: string): string {
  const given: Record<string, string> = { target: '', published: '', protocol: 'tcp', mode: '' };
  for (const field of text.split(',')) {
    const [key = '', value] = field.split(/=(.*)/s, 2);
    if (value === undefined || !Object.hasOwn(given, key)) {
      throw wrong(`invalid publish opts format (should be name=value but got '${field}')`);
    }
    given[key] = value;
  }
  return `${given.published}:${given.target}/${given.protocol}`;
}

function parseRange(text: string, what: string, least: number): PortRange {
  const [, first, last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  const range = { first: Number(first), last: Number(last) };
  if (first !== undefined && range.first >= least && range.last <= MOST && range.first <= range.last)
    return range;
  throw wrong(`invalid ${what}: ${text}`);
}

function checkProtocol(text: string): 'tcp' | 'udp' {
  const name = text.toLowerCase();
  if (name === 'tcp' || name === 'udp') return name;
  throw wrong(`invalid proto: ${text}`, 'use tcp or udp');
}

/** An IPv6 address as the kernel writes it. */
function checkAddress(text: string): string {
  if (text === '' || isIPv4(text)) return text;
  const [, inBrackets = ''] = /^\[(.*)\]$/.exec(text) ?? [];
  const address = parseIPv6(inBrackets);
  if (address !== undefined) return formatIPv6(address);
  throw wrong(`invalid IP address: ${text}`, isIPv6(text) ? `put it in brackets: [${text}]` : EXAMPLE);
}

function sizeOf({ first, last }: PortRange): number {
  return last - first + 1;
}

function numbers(range: PortRange): number[] {
  return Array.from({ length: sizeOf(range) }, (_, index) => range.first + index);
}

function wrong(message: string, hint = EXAMPLE): HrunError {
  return new HrunError('USAGE', message, { hint });
}
