// SPDX-License-Identifier: Apache-2.0
// What networks need of the host: bridges, the firewall's rules and forwarding. All of it is looked at on every start, and made again
// when it is gone, after a boot of the host or somebody's `nft flush ruleset`.
import { accessSync, constants, readFileSync, writeFileSync } from 'node:fs';
import { errnoOf, HrunError } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import { native } from '../native/index.ts';
import { listRestrictions } from './egress.ts';
import { egressChain, egressStates } from './egress-rules.ts';
import { type Network, storeTag } from './network.ts';
import { applyRules, findNft, listRules } from './nft.ts';
import { allPublishedPorts, forgetDeadPorts } from './published-ports.ts';
import { type RulesOf, ruleset, tableName } from './rules.ts';
import { listNetworks } from './store.ts';

const FORWARDING = '/proc/sys/net/ipv4/ip_forward';
const TUN = '/dev/net/tun';
const CAP_NET_ADMIN = 12n;

/** Why containers of this process's user can have no network here; undefined if they can. */
export function networkObstacle(): string | undefined {
  if (process.getuid?.() !== 0) return 'networks need root';
  if (!mayAdministrate()) return 'this process may not administrate the network (CAP_NET_ADMIN)';
  if (!isUsable(TUN, constants.R_OK | constants.W_OK)) return `${TUN} cannot be opened`;
  if (findNft() === undefined) return 'nft is not installed (package nftables)';
  return undefined;
}

/** Sees to it that a network works on this host. Only while holding the lock of all networks. HOST_SETUP. */
export async function ensureNetwork(root: Root, network: Network): Promise<void> {
  const { bridge, gateway, subnet, mtu } = network;
  const addresses = [`${gateway}/${subnet.split('/')[1]}`];
  try {
    native().ensureBridge({ name: bridge, addresses, mtu });
    await ensureRules(root);
    switchOn(FORWARDING);
    switchOn(`/proc/sys/net/ipv4/conf/${bridge}/route_localnet`);
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

/** Puts the rules of all networks in force, unless they are. Only while holding the lock of all networks. */
export async function ensureRules(root: Root): Promise<void> {
  const { table, marker } = ruleset(storeTag(root), rulesOf(root));
  if (!native().hasFirewallRule(table, marker)) await renewRules(root);
}

/** Takes ports back whose keepers were killed. Only while holding the lock of all networks. */
export async function sweepPorts(root: Root): Promise<void> {
  if (forgetDeadPorts(root) && networkObstacle() === undefined) await renewRules(root);
}

/** The table of a store's firewall rules, of the family inet. */
export function firewallTable(root: Root): string {
  return tableName(storeTag(root));
}

async function renewRules(root: Root): Promise<void> {
  forgetDeadPorts(root);
  const rules = rulesOf(root);
  const listed = rules.restrictions.length > 0 ? await listRules(firewallTable(root)) : [];
  const state = { ports: allPublishedPorts(root), egress: egressStates(listed) };
  await applyRules(ruleset(storeTag(root), rules, state).text);
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
function switchOn(path: string): void {
  if (readFileSync(path, 'utf8').trim() !== '1') writeFileSync(path, '1');
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
