// SPDX-License-Identifier: Apache-2.0
// `network connect` and `network disconnect`: from the next start on, and at once for a container that runs.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { errnoOf, HrunError } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import {
  addressesOf,
  type ContainerNetwork,
  type ContainerState,
  containerDirectory,
  findContainer,
  noSuchContainer,
  readContainerConfig,
  readState,
  whileUpdating,
} from '../container/index.ts';
import {
  findNetwork,
  forgetStation,
  isPublishedAt,
  listNetworks,
  type Network,
  networkObstacle,
  portsRefusal,
  publishedPorts,
  recordNetwork,
  releaseLeases,
  USER_NETWORK,
} from '../network/index.ts';
import { changeNic, deviceSlots, findAssets, isHeld, readVmConfig, redirectPorts } from '../vm/index.ts';
import { changeGuestNetworks } from './ask-agent.ts';
import type { NetworkRequest } from './container-options.ts';
import { checkRequest, joinNetwork, withNetworks } from './join-networks.ts';
import { networkFiles, settleNetworks, writeNetworks } from './network-files.ts';
import { guestNics } from './network-membership.ts';
import { isRunning, type KnownContainer, openContainer } from './open-container.ts';
import { sharesMachine } from './shared-machine.ts';

const SETTLE_ATTEMPTS = 100;
const SETTLE_PAUSE_MS = 100;
/** A keeper that is about to start its VM says so within this many looks. */
const START_LOOKS = 50;
const START_PAUSE_MS = 20;
const PORT_LOOKS = 1000;
const PORT_PAUSE_MS = 10;

/** Connects a container to one more network. CONTAINER_STATE when it is in it already, USAGE, ADDRESS_IN_USE, NO_SUCH_NETWORK. */
export async function connectNetwork(
  root: Root,
  { container, ...request }: NetworkRequest & { network: string; container: string },
): Promise<void> {
  checkHost();
  const network = findNetwork(root, request.network);
  checkRequest({ ...request, network: network.name });
  await changeNetworks(root, container, async (known) => {
    checkConnectable(known, network);
    const member = await withNetworks(root, () =>
      joinStored(root, known, { ...request, network: network.name }),
    );
    try {
      await onceUp(known, () => attach(known, member));
      await movePorts(root, known);
    } catch (error) {
      await attempt(() => detach(known, member));
      await unlist(root, known, member);
      await attempt(() => giveBack(root, known, member));
      throw error;
    }
    recordNetwork(root, network, 'connect', known.id);
  });
}

/** Takes a container out of a network, with `force` although its guest does not let go. CONTAINER_STATE when it is not in it. */
export async function disconnectNetwork(
  root: Root,
  { network: text, container, force }: { network: string; container: string; force: boolean },
): Promise<void> {
  checkHost();
  const network = findNetwork(root, text);
  await changeNetworks(root, container, async (known) => {
    const member = membersOf(known).find(({ networkId }) => networkId === network.id);
    if (!member) {
      throw new HrunError(
        'CONTAINER_STATE',
        `container ${known.name} is not connected to the network ${network.name}`,
        { hint: `see: hrun network inspect ${network.name}` },
      );
    }
    const letGo = () => detach(known, member, { force });
    const done = await onceUp(known, letGo);
    await unlist(root, known, member);
    if (!done) await onceUp(known, letGo); // one that was started in between
    recordNetwork(root, network, 'disconnect', known.id);
    await giveBack(root, known, member);
  });
}

/** While nobody else changes the container's networks or limits, and it is not between two states. */
async function changeNetworks(
  root: Root,
  text: string,
  change: (known: KnownContainer) => Promise<void>,
): Promise<void> {
  const directory = containerDirectory(root, findContainer(root, text));
  try {
    await whileUpdating(directory, async () => {
      const known = await openSettled(root, text);
      await settleNetworks(root, directory, known.config);
      await attempt(() => movePorts(root, known)); // where somebody was killed before it
      await change(known);
    });
  } catch (error) {
    throw isThere(directory) ? error : noSuchContainer(text); // somebody has removed it
  }
}

/** What fails because the container is removed meanwhile has become needless. */
async function whileThere(directory: string, action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (isThere(directory)) throw error;
  }
}

function isThere(directory: string): boolean {
  return existsSync(join(directory, 'state.json'));
}

async function openSettled(root: Root, text: string): Promise<KnownContainer> {
  for (let attempt = 0; attempt < SETTLE_ATTEMPTS; attempt++) {
    const known = await openContainer(root, text);
    if (!isChanging(known.state)) return known;
    await sleep(SETTLE_PAUSE_MS);
  }
  throw new HrunError('CONTAINER_STATE', `container ${text} is being started`, { hint: 'try again' });
}

function isChanging({ status }: ContainerState): boolean {
  return status === 'starting' || status === 'restarting';
}

function membersOf({ directory }: KnownContainer): ContainerNetwork[] {
  return readContainerConfig(directory).networks;
}

function checkConnectable(known: KnownContainer, network: Network): void {
  if (sharesMachine(known.config.host)) {
    throw new HrunError(
      'USAGE',
      'container sharing network namespace with another container or host cannot be connected to any other network',
      { hint: 'connect the one whose network it has' },
    );
  }
  if (known.config.host.network === USER_NETWORK) {
    throw new HrunError('USAGE', `container ${known.name} has passt's network, which goes with no other`, {
      hint: 'make it with --network',
    });
  }
  if (known.config.host.cni) {
    throw new HrunError(
      'USAGE',
      `container ${known.name} has ${known.config.host.network}, which goes with no other`,
      {
        hint: 'make it with --network',
      },
    );
  }
  if (known.config.host.network === 'none') {
    throw new HrunError(
      'USAGE',
      'container cannot be connected to multiple networks with one of the networks in private (none) mode',
      { hint: 'make it without --network none' },
    );
  }
  if (membersOf(known).some(({ networkId }) => networkId === network.id)) {
    throw new HrunError(
      'CONTAINER_STATE',
      `endpoint with name ${known.name} already exists in network ${network.name}`,
      { hint: `see: hrun network inspect ${network.name}` },
    );
  }
}

/** Has the ports of a container that runs lead where its networks have it, and waits for that. CONTAINER_STATE when they cannot. */
async function movePorts(root: Root, known: KnownContainer): Promise<void> {
  const { id, name, directory } = known;
  if (known.config.host.portBindings.length === 0) return;
  await onceUp(known, async () => {
    const before = portsRefusal(root, id);
    if (!before && portsLead(root, id, directory)) return;
    await redirectPorts(findAssets().monitor, directory);
    for (let look = 0; look < PORT_LOOKS; look++) {
      const state = readState(directory);
      const refusal = portsRefusal(root, id);
      if (refusal && refusal.record !== before?.record)
        throw new HrunError('CONTAINER_STATE', refusal.refused);
      if (!state || !isRunning(state) || (!refusal && portsLead(root, id, directory))) return;
      await sleep(PORT_PAUSE_MS);
    }
    throw new HrunError('CONTAINER_STATE', `the ports of container ${name} cannot be led to it now`, {
      hint: `try: hrun restart ${name}`,
    });
  });
}

function portsLead(root: Root, id: string, directory: string): boolean {
  const { publish = [] } = readVmConfig(directory).ports ?? {};
  const wanted = publish
    .flatMap(({ address, address6 }) => [address, address6])
    .filter((to) => to !== undefined);
  const led = publishedPorts(root, id).map(({ address }) => address);
  return led.length === wanted.length && wanted.every((to) => led.includes(to));
}

/** Takes the address, and writes everything down. What fails leaves the container as it was. */
async function joinStored(
  root: Root,
  { id, directory }: KnownContainer,
  request: NetworkRequest,
): Promise<ContainerNetwork> {
  const { networks } = readContainerConfig(directory);
  const takenSlots = deviceSlots(readVmConfig(directory));
  try {
    const member = await joinNetwork(root, request, { id, others: networks, takenSlots });
    await writeNetworks(root, directory, [...networks, member]);
    return member;
  } catch (error) {
    await whileThere(directory, () => writeNetworks(root, directory, networks));
    const had = new Set(networks.flatMap(addressesOf));
    for (const network of listNetworks(root))
      releaseLeases(root, network, (holder, address) => holder === id && !had.has(address));
    throw error;
  }
}

/** Nothing says any more that the container is in the network. */
async function unlist(root: Root, { directory }: KnownContainer, member: ContainerNetwork): Promise<void> {
  await withNetworks(root, () =>
    whileThere(directory, async () => {
      const { networks } = readContainerConfig(directory);
      const others = networks.filter(({ networkId }) => networkId !== member.networkId);
      await writeNetworks(root, directory, others);
    }),
  );
}

/** The address is free once no port leads there. */
async function giveBack(root: Root, known: KnownContainer, member: ContainerNetwork): Promise<void> {
  try {
    await whileThere(known.directory, () => movePorts(root, known));
  } finally {
    await withNetworks(root, async () => release(root, known, member));
  }
}

function release(root: Root, { id }: KnownContainer, member: ContainerNetwork): void {
  const { networkId } = member;
  const network = listNetworks(root).find((each) => each.id === networkId);
  if (!network) return;
  forgetStation(root, network, id);
  const own = addressesOf(member).filter((address) => !isPublishedAt(root, id, address));
  releaseLeases(root, network, (holder, leased) => holder === id && own.includes(leased));
}

/**
 * Carries out for the VM, if there is one, what is written down: also one whose keeper may have read the files before that. Resolves to
 * whether that was done: a VM that ends meanwhile has no need of it.
 */
async function onceUp({ directory }: KnownContainer, change: () => Promise<void>): Promise<boolean> {
  for (let look = 0; look < START_LOOKS; ) {
    const state = readState(directory);
    if (!state || (!isChanging(state) && !isRunning(state) && !isHeld(directory))) return false;
    if (isRunning(state)) return await whileUp(directory, change);
    if (!isChanging(state)) look++;
    await sleep(START_PAUSE_MS);
  }
  return false;
}

async function whileUp(directory: string, change: () => Promise<void>): Promise<boolean> {
  try {
    await change();
    return true;
  } catch (error) {
    if (!(error instanceof HrunError) || !(await hasEnded(directory))) throw error;
    return false;
  }
}

/** The state of one that is about to end says so soon. */
async function hasEnded(directory: string): Promise<boolean> {
  for (let look = 0; look < START_LOOKS; look++) {
    const state = readState(directory);
    if (!state || !isRunning(state)) return true;
    await sleep(START_PAUSE_MS);
  }
  return false;
}

/** Of the VM, then of its guest. What the guest may have had in the slot, as before a disconnect by force, it lets go of. */
async function attach({ directory }: KnownContainer, member: ContainerNetwork): Promise<void> {
  await changeNic(findAssets().monitor, '--plug', { directory, slot: member.slot });
  await changeGuestNetworks(directory, {
    nics: guestNics([member]),
    gone: [member.slot],
    files: networkFiles(readContainerConfig(directory)),
  });
}

/** The guest lets go first. A VM that has no such interface is fine. */
async function detach(
  { directory }: KnownContainer,
  { slot, networkId }: ContainerNetwork,
  { force = false } = {},
): Promise<void> {
  const config = readContainerConfig(directory);
  const networks = config.networks.filter((other) => other.networkId !== networkId);
  const letGo = () =>
    changeGuestNetworks(directory, { nics: [], gone: [slot], files: networkFiles({ ...config, networks }) });
  await (force ? attempt(letGo) : letGo());
  await changeNic(findAssets().monitor, '--unplug', { directory, slot });
}

/** What fails is of no matter. */
async function attempt(action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (!(error instanceof HrunError) && errnoOf(error) === undefined) throw error;
  }
}

function checkHost(): void {
  const obstacle = networkObstacle();
  if (obstacle !== undefined) throw new HrunError('HOST_SETUP', `there can be no networks here: ${obstacle}`);
}
