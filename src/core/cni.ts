// SPDX-License-Identifier: Apache-2.0
// --network cni:NAME: from its start to its end a container is in a network that CNI plug-ins make. docs/networks.md, "CNI".
import { existsSync } from 'node:fs';
import { isIPv4, isIPv6 } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { errnoOf, HrunError, hasCode } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import {
  type CniSettings,
  type ContainerConfig,
  containerDirectory,
  readContainerConfig,
  readState,
} from '../container/index.ts';
import { type FileLock, isLocked, native } from '../native/index.ts';
import {
  CNI_PREFIX,
  type CniList,
  cniRecordIds,
  cniRecordPath,
  findCniList,
  findCniPrograms,
  isCniNetwork,
  joinCniNetwork,
  leaveCniNetwork,
} from '../network/index.ts';
import { deviceSlots, findAssets, networkSlots, readVmConfig } from '../vm/index.ts';
import { checkGiven, cniMembership } from './cni-membership.ts';
import { cniPlaces } from './cni-places.ts';
import type { ContainerOptions, NetworkRequest } from './container-options.ts';
import { chooseHostPorts } from './host-ports.ts';
import { writeNetworks } from './network-files.ts';
import { checkMac } from './network-membership.ts';
import { checkIPv6 } from './publish.ts';

const START_LOCK = 'cni.lock';
const LEAVE_ATTEMPTS = 3000;
const LEAVE_PAUSE_MS = 20;

/** The network that the options ask for, if CNI plug-ins are to make it. USAGE for what does not go with one. */
export function cniRequest(
  options: Pick<ContainerOptions, 'networks' | 'egress'>,
): NetworkRequest | undefined {
  const asked = options.networks.find(({ network }) => isCniNetwork(network));
  if (!asked) return undefined;
  const { network, ip, ip6, macAddress, aliases } = asked;
  const refuse = (what: string, hint: string) => new HrunError('USAGE', what, { hint });
  if (options.networks.length > 1) throw refuse(`${network} goes with no other network`, 'name it alone');
  if (options.egress !== undefined)
    throw refuse(
      `--egress cannot hold in ${network}: its plug-ins say what may pass`,
      'leave it out, or use a network of hrun',
    );
  if (aliases.length > 0)
    throw refuse(`${network} serves no names: --network-alias cannot be had`, 'leave it out');
  if (ip !== undefined && !isIPv4(ip)) throw refuse(`--ip ${ip} is no IPv4 address`, 'use 10.1.0.5');
  if (ip6 !== undefined && !isIPv6(ip6)) throw refuse(`--ip6 ${ip6} is no IPv6 address`, 'use fd00::5');
  checkMac(macAddress);
  return asked;
}

/** Looks whether a new container can have the network, as far as can be said without its plug-ins. NO_SUCH_NETWORK, HOST_SETUP, CONFIG, USAGE. */
export async function checkCniRequest(
  { network }: NetworkRequest,
  options: ContainerOptions,
  takenSlots: readonly number[],
): Promise<void> {
  const places = await cniPlaces();
  const list = findCniList(listName(network!), places);
  findCniPrograms(list, places);
  if (options.publish.length > 0 || options.publishAll) checkCapability(list, 'portMappings', '-p');
  if (networkSlots(takenSlots).length === 0)
    throw new HrunError('USAGE', 'a container with so many disks can have no network', {
      hint: 'use --network none',
    });
}

/** What a container's configuration says of the network that it is to have. */
export function cniSettings({ networks }: ContainerOptions): CniSettings | undefined {
  const [first] = networks;
  if (!first || !isCniNetwork(first.network)) return undefined;
  const { network, ip, ip6, macAddress } = first;
  return {
    network: network!,
    ...(ip && { ip }),
    ...(ip6 && { ip6 }),
    ...(macAddress && { mac: macAddress.toLowerCase() }),
  };
}

/** A container that is about to be started. */
interface Startable {
  id: string;
  name: string;
  directory: string;
  config: ContainerConfig;
  release(): void;
}

/**
 * Has the plug-ins add the container to its network, if it is to have such a one; nobody else starts it until `release`. HOST_SETUP, and nothing is
 * left of it. One that runs meanwhile stays as it is.
 */
export async function enterCni<C extends Startable>(root: Root, container: C): Promise<C> {
  const { directory } = container;
  const { cni } = container.config.host;
  if (!cni) return container;
  const lock = await native().lockFile(join(directory, START_LOCK), { shared: false, wait: true });
  const release = () => {
    lock.release();
    container.release();
  };
  try {
    if (await hasLeft(root, container)) {
      await addOrLeave(root, container, cni);
      return { ...container, config: readContainerConfig(directory), release };
    }
  } catch (error) {
    lock.release();
    throw error;
  }
  lock.release();
  return container;
}

/** Has the plug-ins take away what is left of containers that nobody runs or starts. What fails stays for another time. */
export async function sweepCni(root: Root, ids: readonly string[] = cniRecordIds(root)): Promise<void> {
  for (const id of ids)
    await attempt(() => whileIdle(root, id, () => leaveCniNetwork(root, id, findAssets().monitor)));
}

/** Runs `action` unless somebody runs or starts the container; resolves to whether it did. */
export async function whileIdle(root: Root, id: string, action: () => Promise<void>): Promise<boolean> {
  const directory = containerDirectory(root, id);
  const lock = tryLock(directory);
  if (lock === null) return false;
  try {
    if (lock !== 'gone' && isLocked(join(directory, 'lock'))) return false;
    await action();
    return true;
  } finally {
    if (lock !== 'gone') lock.release();
  }
}

/** Waits for the keeper of the last run, which is about to leave the network; false when one is there that is not. */
async function hasLeft(root: Root, { id, directory }: Startable): Promise<boolean> {
  for (let attempt = 0; attempt < LEAVE_ATTEMPTS; attempt++) {
    if (!existsSync(cniRecordPath(root, id))) return true;
    if (!isLocked(join(directory, 'lock'))) await leaveCniNetwork(root, id, findAssets().monitor);
    else if (isUp(directory)) return false;
    else await sleep(LEAVE_PAUSE_MS);
  }
  throw new HrunError('CONTAINER_STATE', `container ${id.slice(0, 12)} has not left its CNI network yet`, {
    hint: 'try again',
  });
}

async function addOrLeave(root: Root, container: Startable, settings: CniSettings): Promise<void> {
  try {
    await addToNetwork(root, container, settings);
  } catch (error) {
    await attempt(() => leaveCniNetwork(root, container.id, findAssets().monitor));
    throw error;
  }
}

async function addToNetwork(
  root: Root,
  { id, name, directory, config }: Startable,
  settings: CniSettings,
): Promise<void> {
  const places = await cniPlaces();
  const list = findCniList(listName(settings.network), places);
  const { portBindings, dns } = config.host;
  if (portBindings.length > 0) checkCapability(list, 'portMappings', '-p');
  const ports = await chooseHostPorts(portBindings);
  const { ip, ip6, mac } = settings;
  const ips = [ip, ip6].flatMap((address) => address ?? []);
  const runtime = {
    ...(ports.length > 0 && { portMappings: ports.map(portMapping) }),
    ...(ips.length > 0 && { ips }),
    ...(mac && { mac }),
    ...(dns &&
      dns.servers.length > 0 && {
        dns: { servers: dns.servers, searches: dns.search, options: dns.options },
      }),
  };
  const has = (capability: string) => list.plugins.some((plugin) => plugin.capabilities.has(capability));
  const args = { ...(ip && !has('ips') && { IP: ip }), ...(mac && !has('mac') && { MAC: mac }) };
  const attachment = await joinCniNetwork(root, { ...{ id, name, list, places }, runtime, args });
  checkGiven(settings, attachment);
  const [slot] = networkSlots(deviceSlots(readVmConfig(directory)));
  const member = cniMembership(settings.network, attachment, slot!);
  checkIPv6(ports, member);
  await writeNetworks(root, directory, [{ ...member, cni: { ...member.cni!, ports } }]);
}

function checkCapability(list: CniList, capability: string, option: string): void {
  if (list.plugins.some((plugin) => plugin.capabilities.has(capability))) return;
  throw new HrunError(
    'USAGE',
    `${option}: no plug-in of CNI network ${list.name} has the capability ${capability}`,
    {
      hint: `give its list one, such as portmap`,
    },
  );
}

function portMapping({
  protocol,
  port,
  hostIp,
  hostPort,
}: ContainerConfig['host']['portBindings'][number]): object {
  return { hostPort: Number(hostPort), containerPort: port, protocol, ...(hostIp && { hostIP: hostIp }) };
}

function listName(network: string): string {
  return network.slice(CNI_PREFIX.length);
}

function isUp(directory: string): boolean {
  const status = readState(directory)?.status ?? 'created';
  return status !== 'created' && status !== 'exited';
}

/** Null while somebody starts the container. */
function tryLock(directory: string): FileLock | null | 'gone' {
  try {
    return native().lockFile(join(directory, START_LOCK), { shared: false, wait: false });
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return 'gone';
    throw error;
  }
}

/** What cannot be taken away now is looked for again. */
async function attempt(action: () => Promise<unknown>): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (!hasCode(error, 'HOST_SETUP')) throw error;
  }
}
