// SPDX-License-Identifier: Apache-2.0
// What networks need of the host: bridges, the firewall's rules and forwarding. All of it is looked at on every start, and made again
// when it is gone, after a boot of the host or somebody's `nft flush ruleset`.
import { accessSync, constants, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf, HrunError } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import { native } from '../native/index.ts';
import { listRestrictions } from './egress.ts';
import { egressChain, egressStates } from './egress-rules.ts';
import { routerTaughtLinks } from './host-routes.ts';
import { type Network, storeTag } from './network.ts';
import { applyRules, findNft, listRules } from './nft.ts';
import { allPublishedPorts, forgetDeadPorts } from './published-ports.ts';
import { type RulesOf, ruleset, tableName } from './rules.ts';
import { listNetworks } from './store.ts';

const FORWARDING = '/proc/sys/net/ipv4/ip_forward';
const IPV6 = '/proc/sys/net/ipv6/conf';
const TUN = '/dev/net/tun';
const CAP_NET_ADMIN = 12n;

/** Why containers of this process's user can have no network here; undefined if they can. */
export function networkObstacle(): string | undefined {
  const obstacle = pluginObstacle();
  if (obstacle !== undefined) return obstacle;
  return findNft() === undefined ? 'nft is not installed (package nftables)' : undefined;
}

/** Why not even those that plug-ins make; undefined if these can be. */
export function pluginObstacle(): string | undefined {
  if (process.getuid?.() !== 0) return 'networks need root';
  if (!mayAdministrate()) return 'this process may not administrate the network (CAP_NET_ADMIN)';
  if (!isUsable(TUN, constants.R_OK | constants.W_OK)) return `${TUN} cannot be opened`;
  return undefined;
}

/** Sees to it that a network works on this host. Only while holding the lock of all networks. HOST_SETUP. */
export async function ensureNetwork(root: Root, network: Network): Promise<void> {
  const { bridge, gateway, subnet, ipv6, mtu } = network;
  const addresses = [`${gateway}/${subnet.split('/')[1]}`];
  try {
    native().ensureBridge({ name: bridge, addresses, mtu });
    if (ipv6) ensureIPv6(bridge, { addresses: [`${ipv6.gateway}/${ipv6.subnet.split('/')[1]}`], mtu });
    await ensureRules(root);
    setTo(FORWARDING, '1');
    if (ipv6) forwardIPv6();
    setTo(`/proc/sys/net/ipv4/conf/${bridge}/route_localnet`, '1');
  } catch (error) {
    if (error instanceof HrunError || errnoOf(error) === undefined) throw error;
    throw new HrunError(
      'HOST_SETUP',
      `network ${network.name} cannot be set up: ${(error as Error).message}`,
      {
        hint: 'use --network none, or see: hrun info',
        cause: error,
      },
    );
  }
}

/** Why networks cannot have IPv6 here; undefined if they can. */
export function ipv6Obstacle(): string | undefined {
  return existsSync(IPV6) ? undefined : "this host's kernel has IPv6 switched off";
}

/** The bridge has IPv6 whatever new interfaces of the host have, and takes no router's word: the host is the router. */
function ensureIPv6(bridge: string, { addresses, mtu }: { addresses: string[]; mtu: number }): void {
  const obstacle = ipv6Obstacle();
  if (obstacle !== undefined) throw new HrunError('HOST_SETUP', `there can be no IPv6: ${obstacle}`);
  setTo(join(IPV6, bridge, 'disable_ipv6'), '0');
  setTo(join(IPV6, bridge, 'accept_ra'), '0');
  native().ensureBridge({ name: bridge, addresses, mtu });
}

function forwardIPv6(): void {
  if (readValue(join(IPV6, 'all/forwarding')) === '1') return;
  for (const link of routerTaughtLinks()) keepRouters(join(IPV6, link, 'accept_ra'));
  setTo(join(IPV6, 'all/forwarding'), '1');
}

/** A host that listens to its routers would stop to, and forget its default route, when it forwards packets itself. */
function keepRouters(path: string): void {
  if (readValue(path) === '1') setTo(path, '2');
}

/** Puts the rules of all networks in force, unless they are. Only while holding the lock of all networks. */
export async function ensureRules(root: Root): Promise<void> {
  const { table, marker } = ruleset(storeTag(root), rulesOf(root));
  if (!native().hasFirewallRule(table, marker)) await renewRules(root);
}

/** Takes ports back whose keepers were killed. Only while holding the lock of all networks. */
export async function sweepPorts(root: Root): Promise<void> {
  const dead = forgetDeadPorts(root);
  if (dead && networkObstacle() === undefined) await renewRules(root, dead);
}

/** The table of a store's firewall rules, of the family inet. */
export function firewallTable(root: Root): string {
  return tableName(storeTag(root));
}

/** `dead`: the ports of keepers that were killed. */
async function renewRules(root: Root, dead = forgetDeadPorts(root)): Promise<void> {
  const rules = rulesOf(root);
  const listed = rules.restrictions.length > 0 ? await listRules(firewallTable(root)) : [];
  const state = { ports: allPublishedPorts(root), egress: egressStates(listed) };
  await applyRules(ruleset(storeTag(root), rules, state).text);
  if (dead) native().forgetFlows(dead);
}

function rulesOf(root: Root): RulesOf {
  return { networks: listNetworks(root), restrictions: listRestrictions(root) };
}

/** What the firewall has denied a restricted container until now; undefined when its rules are not in force. */
export async function deniedTraffic(
  root: Root,
  id: string,
): Promise<{ packets: number; bytes: number } | undefined> {
  const [state] = egressStates(await listRules(firewallTable(root), egressChain(id))).values();
  return state && { packets: state.packets, bytes: state.bytes };
}

/** Removes what a network that is no more has on this host. Only while holding the lock of all networks. */
export async function dismantleNetwork(root: Root, network: Network): Promise<void> {
  native().removeLink(network.bridge);
  if (listNetworks(root).length > 0) return await ensureRules(root);
  const table = firewallTable(root);
  await applyRules(`table inet ${table}\ndelete table inet ${table}\n`);
}

/**
 * Forwarding, as Docker does: it stays on, others may count on it by then. A bridge's route_localnet lets the host reach published ports
 * by 127.0.0.1; what a container sends there is dropped twice (rules.ts, native/net/source_filter.cc).
 */
function setTo(path: string, value: string): void {
  if (readValue(path) !== value) writeFileSync(path, value);
}

function readValue(path: string): string {
  return readFileSync(path, 'utf8').trim();
}

function mayAdministrate(): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return effective !== undefined && ((BigInt(`0x${effective}`) >> CAP_NET_ADMIN) & 1n) === 1n;
}

function isUsable(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}
