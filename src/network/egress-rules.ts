// SPDX-License-Identifier: Apache-2.0
// The part of the firewall that keeps containers from where they may not go: docs/networks.md, "Egress".
import { isIPv4, isIPv6 } from 'node:net';
import type { Restriction } from './egress.ts';

/** What the firewall knows of a restricted container, and would forget when its rules are made anew. */
export interface EgressState {
  /** that were denied */
  packets: number;
  bytes: number;
  /** addresses of allowed names, and seconds for which each still counts */
  learned: readonly { address: string; seconds: number }[];
}

/** By the first digits of the container's id, as its chain and set have them. */
export type EgressStates = ReadonlyMap<string, EgressState>;

/** as kIdDigits of native/net/allowed_addresses.cc */
const ID_DIGITS = 16;
const CHAIN = 'denied_';
const SET = 'named_';
/** of addresses: what a hostile server can fill */
const SET_SIZE = 4096;
const SET6 = 'named6_';
/** Rules that send a packet of a restricted container to its chain, which refuses it or returns. */
export const CHECK_EGRESS = [
  'iifname @bridges ip saddr vmap @restricted',
  'iifname @bridges ip6 saddr vmap @restricted6',
];

const NOTHING: EgressState = { packets: 0, bytes: 0, learned: [] };

/** The chain whose last rule counts what a container was denied. */
export function egressChain(id: string): string {
  return `${CHAIN}${digits(id)}`;
}

/** A chain and two sets for each container, and the maps that CHECK_EGRESS look at. */
export function egressChains(restrictions: readonly Restriction[], states: EgressStates): string {
  return [
    ...restrictions.map((each) => containerChain(each, states.get(digits(each.id)) ?? NOTHING)),
    verdicts('restricted', 'ipv4_addr', restrictions, isIPv4),
    verdicts('restricted6', 'ipv6_addr', restrictions, isIPv6),
  ].join('');
}

function verdicts(
  name: string,
  type: string,
  restrictions: readonly Restriction[],
  isOfFamily: (address: string) => boolean,
): string {
  const elements = restrictions.flatMap(({ id, addresses }) =>
    addresses.filter(isOfFamily).map((address) => `${address} : jump ${egressChain(id)}`),
  );
  const items = elements.length > 0 ? [`elements = { ${elements.join(', ')} }`] : [];
  return block(`map ${name}`, [`type ${type} : verdict`, ...items]);
}

/** What a table as libnftables-json(5) shows it knows of restricted containers. */
export function egressStates(rules: readonly unknown[]): EgressStates {
  const states = new Map<string, EgressState>();
  const change = (name: string, prefix: string, part: Partial<EgressState>) => {
    const key = name.slice(prefix.length);
    states.set(key, { ...NOTHING, ...states.get(key), ...part });
  };
  for (const { rule, set } of rules as Listed[]) {
    const counter = rule?.expr.find((expression) => expression.counter)?.counter;
    if (rule?.chain.startsWith(CHAIN) && counter) change(rule.chain, CHAIN, counter);
    const prefix = [SET, SET6].find((each) => set?.name.startsWith(each));
    if (set && prefix) {
      const before = states.get(set.name.slice(prefix.length))?.learned ?? [];
      change(set.name, prefix, { learned: [...before, ...(set.elem ?? []).flatMap(learned)] });
    }
  }
  return states;
}

interface Listed {
  rule?: { chain: string; expr: { counter?: { packets: number; bytes: number } }[] };
  set?: { name: string; elem?: unknown[] };
}

function learned(element: unknown): { address: string; seconds: number }[] {
  const { elem } = element as { elem?: { val: string; expires?: number } };
  return elem?.expires ? [{ address: elem.val, seconds: elem.expires }] : [];
}

/** Only the beginning of a connection is looked at: what others began, or what was allowed then, goes on. */
function containerChain({ id, subnets }: Restriction, { packets, bytes, learned }: EgressState): string {
  const [subnets4, subnets6] = [false, true].map((six) =>
    subnets.filter((each) => each.includes(':') === six),
  );
  const rules = [
    'ct state established,related return',
    ...allowed('ip', subnets4!),
    ...allowed('ip6', subnets6!),
    `ip daddr @${SET}${digits(id)} return`,
    `ip6 daddr @${SET6}${digits(id)} return`,
    `counter packets ${packets} bytes ${bytes} reject with icmpx type admin-prohibited`,
  ];
  return (
    learnedSet(`${SET}${digits(id)}`, 'ipv4_addr', learned, isIPv4) +
    learnedSet(`${SET6}${digits(id)}`, 'ipv6_addr', learned, isIPv6) +
    block(`chain ${egressChain(id)}`, rules)
  );
}

function allowed(family: 'ip' | 'ip6', subnets: readonly string[]): string[] {
  return subnets.length > 0 ? [`${family} daddr { ${subnets.join(', ')} } return`] : [];
}

function learnedSet(
  name: string,
  type: string,
  learned: EgressState['learned'],
  isOfFamily: (address: string) => boolean,
): string {
  const own = learned.filter(({ address }) => isOfFamily(address));
  const elements = own.map(({ address, seconds }) => `${address} timeout ${seconds}s`).join(', ');
  const lines = [`type ${type}`, 'flags timeout', `size ${SET_SIZE}`];
  return block(`set ${name}`, elements ? [...lines, `elements = { ${elements} }`] : lines);
}

function block(head: string, lines: readonly string[]): string {
  return `\t${head} {\n${lines.map((line) => `\t\t${line}\n`).join('')}\t}\n`;
}

function digits(id: string): string {
  return id.slice(0, ID_DIGITS);
}
