// SPDX-License-Identifier: Apache-2.0
// From what --network asks for to a container's interfaces, with addresses that are its own until it is removed.
import { existsSync } from 'node:fs';
import { HrunError } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import { inStore } from '../base/store-error.ts';
import {
  addressesOf,
  type ContainerConfig,
  type ContainerNetwork,
  containerDirectory,
  type RepairResult,
  readableConfig,
  whileNobodyMakes,
} from '../container/index.ts';
import {
  createNetwork,
  DEFAULT_MTU,
  DEFAULT_NETWORK,
  type EgressPolicy,
  ensureNameServer,
  ensureNetwork,
  ensureRules,
  findNetwork,
  forgetDeadRecords,
  forgetEgress,
  isCniNetwork,
  isPublishedAt,
  isRestricted,
  listNetworks,
  lockNetworks,
  type Network,
  nameRecords,
  networkObstacle,
  pluginObstacle,
  releaseLeases,
  restrictEgress,
  servesNames,
  sweepPorts,
  takeLeases,
  tapName,
  USER_NETWORK,
  userNetworkObstacle,
} from '../network/index.ts';
import { findAssets } from '../vm/index.ts';
import { checkCniRequest, cniRequest, sweepCni } from './cni.ts';
import type { ContainerOptions, NetworkRequest } from './container-options.ts';
import { checkMac, interfaceIndex, membership, type Place, userMembership } from './network-membership.ts';

const DEFAULT_REQUEST: NetworkRequest = {
  network: undefined,
  ip: undefined,
  ip6: undefined,
  macAddress: undefined,
  aliases: [],
};
/** Docker's words */
export const MIXED_MODES =
  'conflicting options: cannot attach both user-defined and non-user-defined network-modes';

/** What says which networks a container has. */
export type NetworkOptions = Pick<ContainerOptions, 'networks' | 'publish' | 'egress' | 'networkRates'>;

/**
 * The networks that --network means here, by name or id; none for "none", passt's alone for a user who is not root. UNSUPPORTED,
 * HOST_SETUP, USAGE.
 */
export function networkRequests(options: NetworkOptions): NetworkRequest[] {
  const [first = DEFAULT_REQUEST, ...others] = options.networks;
  const asked = [first, ...others].map((each) => ({ ...each, network: nameOf(each) }));
  const has = (name: string) => asked.some(({ network }) => network === name);
  if (has('host')) throw noHostNetwork();
  for (const alone of ['none', USER_NETWORK]) {
    if (has(alone) && asked.length > 1)
      throw new HrunError('USAGE', MIXED_MODES, { hint: `leave out --network ${alone}` });
  }
  if (has('none')) return checkNone(first, options);
  const plugins = cniRequest(options);
  if (plugins) {
    checkUsable(`network ${plugins.network} cannot be used`, pluginObstacle(), 'use --network none');
    return [plugins];
  }
  const obstacle = has(USER_NETWORK) ? userNetworkObstacle() : networkObstacle();
  const named = asked.find(({ network }) => network !== undefined)?.network;
  if (named !== undefined) checkUsable(`network ${named} cannot be used`, obstacle, 'use --network none');
  if (has(USER_NETWORK)) return checkUserMode(first, options);
  if (obstacle === undefined) return checkNetworks(asked, options);
  const other = userNetworkObstacle();
  if (other === undefined) return checkUserMode(first, options);
  if (options.publish.length > 0)
    checkUsable('ports cannot be published', `${obstacle}, and ${other}`, 'leave out -p');
  return checkNone(first, options);
}

/** What serves the first interface of a container with its own machine. The same errors. */
export function interfaceKind(options: NetworkOptions): 'tap' | 'passt' | 'none' {
  const [first] = networkRequests(options);
  if (!first) return 'none';
  return first.network === USER_NETWORK ? 'passt' : 'tap';
}

/** Whether that is a tap interface's for a container of which nothing but this is known. */
export function wantsNic(networks: readonly NetworkRequest[]): boolean {
  const [other] = networks.filter(({ network }) => network?.startsWith('container:'));
  if (other)
    throw new HrunError('USAGE', `${other.network} is another machine's`, { hint: 'use bridge or none' });
  const nothing = { publish: [], egress: undefined, networkRates: undefined };
  return interfaceKind({ networks, ...nothing }) === 'tap';
}

function checkNetworks(
  asked: readonly NetworkRequest[],
  { egress }: NetworkOptions,
): (NetworkRequest & { network: string })[] {
  const requests = asked.map((each) => checkRequest({ ...each, network: each.network ?? DEFAULT_NETWORK }));
  if (egress) checkEgress(egress, requests);
  return requests;
}

/**
 * Takes addresses for a new container and sees to it that its networks work. Only while the container is being made: until its
 * directory is there nothing else says that the addresses are not left over. `takenSlots` are those of its other devices.
 */
export async function joinNetworks(
  root: Root,
  options: ContainerOptions,
  { id, takenSlots }: { id: string; takenSlots: readonly number[] },
): Promise<ContainerNetwork[]> {
  const requests = networkRequests(options);
  if (requests.length === 0) return [];
  if (isCniNetwork(requests[0]!.network)) {
    await checkCniRequest(requests[0]!, options, takenSlots);
    return []; // what it gets, it gets when it is started
  }
  if (requests[0]!.network === USER_NETWORK) return await joinUserNetwork(root, requests[0]!, takenSlots);
  return await withNetworks(root, async () => {
    const members: ContainerNetwork[] = [];
    try {
      if (options.egress) await restrictEgress(root, id, options.egress);
      for (const request of requests)
        members.push(await joinNetwork(root, request, { id, others: members, takenSlots }));
      return members;
    } catch (error) {
      release(root, id);
      throw error;
    }
  });
}

/**
 * Takes addresses for a copy of a container, in the same networks, whose machine has the same interfaces. Only while the copy is being
 * made. NO_SUCH_NETWORK, ADDRESS_IN_USE.
 */
export async function joinSameNetworks(
  root: Root,
  { networks, host }: Pick<ContainerConfig, 'networks' | 'host'>,
  id: string,
): Promise<ContainerNetwork[]> {
  if (networks.some(({ network }) => network === USER_NETWORK)) return [...networks]; // each has one of its own
  if (networks.length === 0 && !host.egress) return [];
  return await withNetworks(root, async () => {
    const members: ContainerNetwork[] = [];
    try {
      if (host.egress) await restrictEgress(root, id, host.egress);
      for (const { network, aliases, slot, interface: name, metric } of networks) {
        const request = { ...DEFAULT_REQUEST, network, aliases: aliases ?? [] };
        const member = await joinNetwork(root, request, { id, others: members, takenSlots: [] });
        const tap = tapName(root, id, interfaceIndex(name));
        members.push({ ...member, slot, interface: name, metric, tap });
      }
      return members;
    } catch (error) {
      release(root, id);
      throw error;
    }
  });
}

/** Its keeper writes down there what it publishes. */
async function joinUserNetwork(
  root: Root,
  request: NetworkRequest,
  takenSlots: readonly number[],
): Promise<ContainerNetwork[]> {
  checkMac(request.macAddress);
  return await withNetworks(root, async () => [userMembership(request, takenSlots)]);
}

/** Takes an address in one more network, which works from now on. Only while holding the lock of all networks. */
export async function joinNetwork(
  root: Root,
  request: NetworkRequest,
  place: Omit<Place, 'address' | 'address6'>,
): Promise<ContainerNetwork> {
  const network =
    request.network === DEFAULT_NETWORK ? await defaultNetwork(root) : findNetwork(root, request.network!);
  if (place.others.some(({ networkId }) => networkId === network.id)) {
    throw new HrunError('USAGE', `network "${request.network}" is specified multiple times`, {
      hint: 'name it once',
    });
  }
  await bringUp(root, network);
  const leased = await takeLeases(root, network, place.id, request);
  if (isRestricted(root, place.id)) await ensureRules(root);
  return membership(root, network, request, { ...place, ...leased });
}

/** Sees to it that the networks of a container that is there work. */
export async function prepareNetworks(root: Root, { id, networks, host }: ContainerConfig): Promise<void> {
  const names = networks
    .map(({ network }) => network)
    .filter((name) => name !== USER_NETWORK && !isCniNetwork(name));
  if (names.length === 0) return;
  await withNetworks(root, async () => {
    if (host.egress && !isRestricted(root, id)) await restrictEgress(root, id, host.egress);
    for (const name of names) await bringUp(root, findNetwork(root, name));
  });
}

async function bringUp(root: Root, network: Network): Promise<void> {
  await ensureNetwork(root, network);
  if (servesNames(network)) await ensureNameServer(root, network, findAssets().monitor);
}

/** Gives back the addresses of a container that is gone. */
export async function leaveNetworks(root: Root, id: string): Promise<void> {
  await withNetworks(root, async () => release(root, id));
}

/**
 * Takes back ports whose keepers were killed, what is left of CNI networks, and, unless somebody makes a container now, the addresses whose
 * containers are gone, whoever removed them.
 */
export async function sweepNetworks(root: Root): Promise<void> {
  if (!existsSync(root.networks)) return;
  await withNetworks(root, async () => {
    await sweepPorts(root);
    for (const network of listNetworks(root)) forgetDeadRecords(nameRecords(root, network));
    await whileNobodyMakes(root, async () => {
      for (const network of listNetworks(root)) {
        releaseLeases(root, network, (holder, address) => isLeftOver(root, holder, address));
      }
      const forgotten = forgetEgress(root, (id) => !existsSync(containerDirectory(root, id)));
      if (forgotten && networkObstacle() === undefined) await ensureRules(root);
    });
  });
  await sweepCni(root);
}

/** Whoever connected the container to the network may have been killed before that was written down. */
function isLeftOver(root: Root, id: string, address: string): boolean {
  if (!existsSync(containerDirectory(root, id))) return true;
  const config = readableConfig(root, id);
  return (
    config !== undefined &&
    !config.networks.some((member) => addressesOf(member).includes(address)) &&
    !isPublishedAt(root, id, address)
  );
}

/** True when what a container had of networks may be left over: its keeper was killed. */
export function hasDied(repair: RepairResult): boolean {
  return repair === 'repaired' || repair === 'removed';
}

/** Runs `action` while nobody else changes networks or leases. */
export async function withNetworks<T>(root: Root, action: () => Promise<T>): Promise<T> {
  return await inStore(root.networks, async () => {
    const lock = await lockNetworks(root);
    try {
      return await action();
    } finally {
      lock.release();
    }
  });
}

/** The network of containers that ask for none: made when it is first wanted. */
export async function defaultNetwork(root: Root): Promise<Network> {
  const present = listNetworks(root).find(({ name }) => name === DEFAULT_NETWORK);
  if (present) return present;
  return await createNetwork(root, {
    name: DEFAULT_NETWORK,
    ...{ ipv6: false, subnets: [], gateways: [], ipRanges: [] },
    ...{ mtu: DEFAULT_MTU, internal: false, labels: {}, options: {} },
  });
}

function release(root: Root, id: string): void {
  forgetEgress(root, (holder) => holder === id);
  for (const network of listNetworks(root)) releaseLeases(root, network, (holder) => holder === id);
}

function nameOf({ network }: NetworkRequest): string | undefined {
  return network === 'default' ? undefined : network || undefined;
}

/** Names are allowed by who answers for them. */
function checkEgress({ names }: EgressPolicy, requests: readonly { network: string }[]): void {
  if (names.length === 0 || requests.some(({ network }) => servesNames({ name: network }))) return;
  throw new HrunError(
    'USAGE',
    `--egress allow=${names[0]}: names can be allowed only in a network of your own`,
    {
      hint: 'make one: hrun network create',
    },
  );
}

/** What there is no network for cannot be asked for. */
function checkNone({ ip, ip6, macAddress, aliases }: NetworkRequest, options: NetworkOptions): [] {
  if (options.networkRates !== undefined) throw needsNetwork('--network-bps');
  if (options.egress !== undefined) throw needsNetwork('--egress');
  if (ip !== undefined || ip6 !== undefined || macAddress !== undefined)
    throw needsNetwork('--ip and --mac-address', 'need');
  if (aliases.length > 0) throw noAliases();
  return [];
}

/** What only a network of the host's can do. */
function checkUserMode(
  { ip, ip6, macAddress, aliases }: NetworkRequest,
  { networkRates, egress }: NetworkOptions,
): NetworkRequest[] {
  const given = Object.entries({
    '--ip': ip !== undefined,
    '--ip6': ip6 !== undefined,
    '--network-alias': aliases.length > 0,
    '--network-bps': networkRates !== undefined,
    '--egress': egress !== undefined,
  });
  const [option] = given.find(([, isGiven]) => isGiven) ?? [];
  if (option === undefined) return [{ ...DEFAULT_REQUEST, network: USER_NETWORK, macAddress }];
  throw new HrunError('UNSUPPORTED', `${option} needs a network of the host, which passt is not`, {
    hint: 'run hrun as root, or leave it out',
  });
}

/** USAGE for what a container cannot have in the network. */
export function checkRequest(
  request: NetworkRequest & { network: string },
): NetworkRequest & { network: string } {
  checkMac(request.macAddress);
  if (request.aliases.length > 0 && !servesNames({ name: request.network })) throw noAliases();
  return request;
}

function checkUsable(what: string, obstacle: string | undefined, hint: string): void {
  if (obstacle !== undefined) throw new HrunError('HOST_SETUP', `${what}: ${obstacle}`, { hint });
}

function needsNetwork(what: string, verb = 'needs'): HrunError {
  return new HrunError('USAGE', `${what} ${verb} a network`, { hint: 'use --network' });
}

function noAliases(): HrunError {
  return new HrunError(
    'USAGE',
    'network-scoped alias is supported only for containers in user defined networks',
    { hint: 'make one: hrun network create' },
  );
}

function noHostNetwork(): HrunError {
  return new HrunError(
    'UNSUPPORTED',
    'a container has a machine of its own and cannot have the network of the host',
    { hint: "use --network bridge: the host is the network's gateway" },
  );
}
