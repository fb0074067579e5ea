// SPDX-License-Identifier: Apache-2.0
// --network, as Docker reads it: a name, or comma-separated key=value. --ip, --mac-address and --network-alias are the first network's.
import { HrunError } from '../../base/errors.ts';
import type { NetworkRequest } from '../../core/container-options.ts';

export interface NetworkFlags {
  network: readonly string[];
  net: readonly string[];
  ip?: string;
  ip6?: string;
  macAddress?: string;
  networkAlias: readonly string[];
}

const ALIAS = /^[a-zA-Z0-9_](?:[a-zA-Z0-9_.-]{0,61}[a-zA-Z0-9_])?$/;
/** Docker's, of networks that hrun does not have. */
const UNSUPPORTED_KEYS = ['link-local-ip', 'driver-opt', 'gw-priority'];

/**
 * The networks that the options ask for, in their order, `fallback` when they name none; none at all leaves it to the default. USAGE in
 * Docker's words for what is wrong.
 */
export function networkRequests(flags: NetworkFlags, fallback = process.env.HRUN_NETWORK): NetworkRequest[] {
  const aliases = flags.networkAlias.map((name) => checkAlias(name));
  const named = [...flags.network, ...flags.net];
  const [first, ...others] = (named.length > 0 || !fallback ? named : [fallback]).map(parseNetwork);
  const given = first ?? asked(undefined);
  const { ip, ip6, macAddress } = flags;
  if (!first && (ip ?? ip6 ?? macAddress) === undefined && aliases.length === 0) return [];
  if (given.aliases.length > 0 && aliases.length > 0) throw conflict('--network-alias and per-network alias');
  if (given.ip !== undefined && ip !== undefined) throw conflict('--ip and per-network IPv4 address');
  if (given.ip6 !== undefined && ip6 !== undefined) throw conflict('--ip6 and per-network IPv6 address');
  if (given.macAddress !== undefined && macAddress !== undefined)
    throw conflict('--mac-address and per-network MAC address');
  const completed = {
    network: given.network,
    ip: given.ip ?? ip,
    ip6: given.ip6 ?? ip6,
    macAddress: given.macAddress ?? macAddress,
    aliases: [...given.aliases, ...aliases],
  };
  return [completed, ...others];
}

/** A name for a container in one network, given by `option`. USAGE when it is none. */
export function checkAlias(name: string, option = '--network-alias'): string {
  if (ALIAS.test(name)) return name;
  throw new HrunError('USAGE', `${option} ${JSON.stringify(name)} is not a name`);
}

function parseNetwork(text: string): NetworkRequest {
  if (!text.includes('=')) return asked(text);
  const fields = text.split(',').map((field) => splitField(text, field));
  const last = (key: string) => fields.findLast(([name]) => name === key)?.[1];
  const network = last('name');
  if (!network) throw invalid(text, 'network name/id is not specified');
  const aliases = fields
    .filter(([key]) => key === 'alias')
    .map(([, value]) => checkAlias(value, '--network alias'));
  return { network, ip: last('ip'), ip6: last('ip6'), macAddress: last('mac-address'), aliases };
}

function asked(network: string | undefined): NetworkRequest {
  return { network, ip: undefined, ip6: undefined, macAddress: undefined, aliases: [] };
}

function splitField(text: string, field: string): [string, string] {
  const [name = '', value] = field.split(/=(.*)/s, 2);
  const key = name.trim().toLowerCase();
  if (value === undefined) throw invalid(text, `invalid field ${field}`);
  if (UNSUPPORTED_KEYS.includes(key)) {
    throw new HrunError('UNSUPPORTED', `--network ${text}: there is no ${key} here`, {
      hint: 'leave it out',
    });
  }
  if (!['name', 'alias', 'ip', 'ip6', 'mac-address'].includes(key))
    throw invalid(text, `invalid field key ${key}`);
  return [key, value.trim()];
}

function invalid(text: string, why: string): HrunError {
  return new HrunError('USAGE', `--network ${text}: ${why}`, {
    hint: 'use NAME or name=NAME,alias=…,ip=…,ip6=…,mac-address=…',
  });
}

function conflict(what: string): HrunError {
  return new HrunError('USAGE', `conflicting options: cannot specify both ${what}`);
}
