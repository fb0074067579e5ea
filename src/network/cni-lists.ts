// SPDX-License-Identifier: Apache-2.0
// CNI network configuration lists (CNI specification 1.0, section 1), as administrators put them into /etc/cni/net.d.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf, HrunError, systemMessage } from '../base/errors.ts';
import { readRegularFile } from '../base/regular-file.ts';

/** Where lists and plug-ins are. */
export interface CniPlaces {
  configDirectory: string;
  /** looked through in this order */
  pluginDirectories: readonly string[];
}

export interface CniList {
  name: string;
  cniVersion: string;
  /** its plug-ins cannot be asked whether all is still in order */
  disableCheck: boolean;
  plugins: readonly CniPlugin[];
}

export interface CniPlugin {
  type: string;
  /** of its address management; undefined without any */
  ipam: string | undefined;
  /** what it can be told at run time */
  capabilities: ReadonlySet<string>;
  /** its own part of the list */
  config: Readonly<Record<string, unknown>>;
}

/** What --network has before the name of a list. */
export const CNI_PREFIX = 'cni:';

const FILE = /\.(?:conflist|conf)$/;
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/;
const TYPE = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/;
/** A plug-in of these is told the result of the one before, and answers in the form that cni-result.ts reads. */
const VERSIONS = ['0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'];

/** True for the network of a container that CNI plug-ins make. */
export function isCniNetwork(network: string | undefined): boolean {
  return network?.startsWith(CNI_PREFIX) === true;
}

/** The list of this name: of several the one whose file comes first. NO_SUCH_NETWORK with those that there are, CONFIG when it is wrong. */
export function findCniList(name: string, { configDirectory }: Pick<CniPlaces, 'configDirectory'>): CniList {
  const found = readFiles(configDirectory);
  const match = found.find((file) => file.content?.name === name);
  if (match?.content) return parseList(match.path, name, match.content);
  const names = [...new Set(found.flatMap((file) => nameOf(file.content?.name)))];
  const wrong = found.find(({ mistake }) => mistake !== undefined);
  const there = names.length > 0 ? `has ${names.join(', ')}` : 'has no list of any network';
  throw new HrunError(
    'NO_SUCH_NETWORK',
    `no CNI network ${JSON.stringify(name)}: ${configDirectory} ${there}`,
    {
      hint: wrong
        ? `${wrong.path} ${wrong.mistake}`
        : 'NETCONFPATH names another directory (docs/networks.md)',
    },
  );
}

/** True from this version on. Versions are those that parseList lets pass. */
export function isSince(version: string, least: string): boolean {
  return VERSIONS.indexOf(version) >= VERSIONS.indexOf(least);
}

interface ListFile {
  path: string;
  content?: Record<string, unknown>;
  mistake?: string;
}

function readFiles(directory: string): ListFile[] {
  return listFiles(directory).map((file) => {
    const path = join(directory, file);
    try {
      const content: unknown = JSON.parse(readRegularFile(path));
      return isObject(content) ? { path, content } : { path, mistake: 'is no JSON object' };
    } catch (error) {
      if (error instanceof SyntaxError) return { path, mistake: 'is not JSON' };
      return { path, mistake: `cannot be read: ${systemMessage(error)}` };
    }
  });
}

function listFiles(directory: string): string[] {
  try {
    return readdirSync(directory)
      .filter((name) => FILE.test(name))
      .sort();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw new HrunError('CONFIG', `${directory} cannot be read: ${systemMessage(error)}`, { cause: error });
  }
}

function nameOf(name: unknown): string[] {
  return typeof name === 'string' && NAME.test(name) ? [name] : [];
}

/** A file of one plug-in, *.conf, is a list of one. */
function parseList(path: string, name: string, content: Record<string, unknown>): CniList {
  const wrong = (what: string) =>
    new HrunError('CONFIG', `${path}: ${what}`, { hint: 'see the CNI specification, section 1' });
  if (!NAME.test(name)) throw wrong(`${JSON.stringify(name)} is no name for a network`);
  const { cniVersion = '', disableCheck = false, plugins = [content] } = content;
  if (typeof cniVersion !== 'string' || !VERSIONS.includes(cniVersion)) {
    throw wrong(`cniVersion ${JSON.stringify(cniVersion)} is none of ${VERSIONS.join(', ')}`);
  }
  if (!Array.isArray(plugins) || plugins.length === 0) throw wrong('"plugins" lists no plug-in');
  return {
    ...{ name, cniVersion },
    disableCheck: disableCheck === true || disableCheck === 'true',
    plugins: plugins.map((plugin: unknown, index) => {
      if (!isObject(plugin) || typeof plugin.type !== 'string' || !TYPE.test(plugin.type))
        throw wrong(`plug-in ${index + 1} has no type that names a program`);
      return parsePlugin(plugin, plugin.type);
    }),
  };
}

function parsePlugin(config: Record<string, unknown>, type: string): CniPlugin {
  const { capabilities, ipam } = config;
  const wanted = isObject(capabilities) ? Object.entries(capabilities) : [];
  return {
    ...{ type, config },
    ipam: isObject(ipam) && typeof ipam.type === 'string' && TYPE.test(ipam.type) ? ipam.type : undefined,
    capabilities: new Set(wanted.flatMap(([capability, has]) => (has === true ? [capability] : []))),
  };
}

/** True for a JSON object, which is no array. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
