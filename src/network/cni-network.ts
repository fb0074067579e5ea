// SPDX-License-Identifier: Apache-2.0
// Adding a container to a CNI network: each plug-in of its list in order, in a network namespace of the container's own.
import { join } from 'node:path';
import { listDirectory } from '../base/directory.ts';
import { errnoOf, HrunError } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import { type InterfaceFacts, native } from '../native/index.ts';
import { type CniList, type CniPlaces, isSince } from './cni-lists.ts';
import { type CniProgram, findCniPrograms, pluginError, runCniProgram } from './cni-programs.ts';
import { type CniRecord, cniRecordIds, readCniRecord, writeCniRecord } from './cni-record.ts';
import { type CniResult, parseCniResult } from './cni-result.ts';
import { storeTag } from './network.ts';

/** The interface that plug-ins make in the namespace. */
export const CNI_INTERFACE = 'eth0';
/** The machine's own in it. */
export const CNI_TAP = 'hrun0';
const NAMESPACES = '/run/netns';
const ID_DIGITS = 12;
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** A container that is to be in a CNI network. */
export interface CniMember {
  id: string;
  /** of the container */
  name: string;
  list: CniList;
  places: CniPlaces;
  /** by capability: plug-ins that have it in their configuration are told */
  runtime: Readonly<Record<string, unknown>>;
  /** CNI_ARGS beside Kubernetes' */
  args: Readonly<Record<string, string>>;
}

export interface CniAttachment {
  /** path */
  namespace: string;
  facts: InterfaceFacts;
  result: CniResult;
}

/** The path of a container's network namespace. */
export function cniNamespace(root: Root, id: string): string {
  return `${NAMESPACES}/${storeTag(root)}-${id.slice(0, ID_DIGITS)}`;
}

/**
 * Makes the container's namespace and has the plug-ins add it to their network. HOST_SETUP with what one of them says: then the record (cni-record.ts)
 * says what there is to be taken away. Only while nobody else runs or starts the container, and it has no record.
 */
export async function joinCniNetwork(root: Root, member: CniMember): Promise<CniAttachment> {
  const { id, list } = member;
  const namespace = cniNamespace(root, id);
  const programs = findCniPrograms(list, member.places);
  const environment = environmentOf(namespace, member);
  const inputs = (result?: CniResult) => cniInputs(list, programs, member.runtime, result);
  const isTold = isSince(list.cniVersion, '0.4.0');
  const record: CniRecord = {
    ...{ version: 1, name: list.name, namespace, environment, plugins: inputs() },
    checks: isTold && !list.disableCheck,
  };
  await writeCniRecord(root, id, record);
  makeNamespace(namespace);
  const result = await addAll(list.name, inputs, environment);
  await writeCniRecord(root, id, { ...record, plugins: inputs(isTold ? result : undefined) });
  return { namespace, result, facts: interfaceFacts(list.name, namespace) };
}

/** Asks the plug-ins of a container whether all is as they made it. HOST_SETUP with what one of them says. */
export async function checkCniNetwork(root: Root, id: string): Promise<void> {
  const { name, checks, plugins, environment } = readCniRecord(root, id);
  if (!checks) return;
  for (const plugin of plugins) await runCniProgram(name, plugin, { ...environment, CNI_COMMAND: 'CHECK' });
}

/** Namespaces of containers of the store, by their paths, that have no record. */
export function leftNamespaces(root: Root): string[] {
  const present = listDirectory(NAMESPACES).filter((name) => name.startsWith(`${storeTag(root)}-`));
  const known = new Set(cniRecordIds(root).map((id) => cniNamespace(root, id)));
  return present.map((name) => join(NAMESPACES, name)).filter((path) => !known.has(path));
}

/** What each plug-in reads: its part of the list, what it can be told, and what the one before, or at the end the last, has answered. */
export function cniInputs(
  { name, cniVersion, plugins }: CniList,
  programs: readonly string[],
  runtime: Readonly<Record<string, unknown>>,
  result: CniResult | undefined,
): CniProgram[] {
  return plugins.map(({ config, capabilities }, index) => {
    const told = Object.entries(runtime).filter(([capability]) => capabilities.has(capability));
    const input = {
      ...config,
      ...{ name, cniVersion },
      ...(told.length > 0 && { runtimeConfig: Object.fromEntries(told) }),
      ...(result && { prevResult: result.raw }),
    };
    return { program: programs[index]!, input: JSON.stringify(input) };
  });
}

async function addAll(
  network: string,
  inputs: (result?: CniResult) => CniProgram[],
  environment: Readonly<Record<string, string>>,
): Promise<CniResult> {
  let result: CniResult | undefined;
  for (const index of inputs().keys()) {
    const plugin = inputs(result)[index]!;
    const answer = await runCniProgram(network, plugin, { ...environment, CNI_COMMAND: 'ADD' });
    const parsed = parseCniResult(answer);
    if (typeof parsed === 'string') throw pluginError(network, plugin.program, `its answer ${parsed}`);
    result = parsed;
  }
  return result!;
}

/** A record that was removed by hand leaves the namespace behind, of which nobody is in need. */
function makeNamespace(path: string): void {
  try {
    native().removeNetworkNamespace(path);
    native().createNetworkNamespace(path);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    throw new HrunError('HOST_SETUP', (error as Error).message, { cause: error });
  }
}

/** What a container with the namespace for its own would have: more than results tell, such as its MTU. */
function interfaceFacts(network: string, namespace: string): InterfaceFacts {
  const facts = native().describeInterface(namespace, CNI_INTERFACE);
  if (!facts)
    throw new HrunError(
      'HOST_SETUP',
      `CNI network ${network}: its plug-ins made no interface ${CNI_INTERFACE}`,
    );
  if (facts.addresses.length > 0) return facts;
  throw new HrunError('HOST_SETUP', `CNI network ${network}: its plug-ins gave ${CNI_INTERFACE} no address`, {
    hint: 'its list needs "ipam"',
  });
}

/** As Kubernetes' runtimes have it, for plug-ins that want to know whose interface it is. */
function environmentOf(namespace: string, { id, name, places, args }: CniMember): Record<string, string> {
  const all = {
    IgnoreUnknown: '1',
    K8S_POD_NAMESPACE: 'default',
    K8S_POD_NAME: name,
    K8S_POD_INFRA_CONTAINER_ID: id,
    K8S_POD_UID: id,
    ...args,
  };
  return {
    CNI_CONTAINERID: id,
    CNI_NETNS: namespace,
    CNI_IFNAME: CNI_INTERFACE,
    CNI_PATH: places.pluginDirectories.join(':'),
    CNI_ARGS: Object.entries(all)
      .map(([key, value]) => `${key}=${value}`)
      .join(';'),
    PATH: [process.env.PATH, DEFAULT_PATH].filter(Boolean).join(':'),
  };
}
