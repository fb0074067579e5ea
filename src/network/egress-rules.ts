// SPDX-License-Identifier: Apache-2.0
// The part of the firewall that keeps containers from where they may not go: docs/networks.md, "Egress".
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
/** A rule that sends a packet of a restricted container to its chain, which refuses it or returns. */
export const CHECK_EGRESS = 'iifname @bridges ip saddr vmap @restricted';

const NOTHING: EgressState = { packets: 0, bytes: 0, learned: [] };

/** The chain whose last rule counts what a container was denied. */
export function egressChain(id: string): string {
  return `${CHAIN}${digits(id)}`;
}

/** A chain and a set for each container, and the map that CHECK_EGRESS looks at. */
export function egressChains(restrictions: readonly Restriction[], states: EgressStates): string {
  const elements = restrictions.flatMap(({ id, addresses }) =>
    addresses.map((address) => `${address} : jump ${egressChain(id)}`),
  );
  const items = elements.length > 0 ? `\t\telements = { ${elements.join(', ')} }\n` : '';
  return [
    ...restrictions.map((each) => containerChain(each, states.get(digits(each.id)) ?? NOTHING)),
    `\tmap restricted {\n\t\ttype ipv4_addr : verdict\n${items}\t}\n`,
  ].join('');
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
    if (set?.name.startsWith(SET)) change(set.name, SET, { learned: (set.elem ?? []).flatMap(learned) });
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
  const addresses = learned.map(({ address, seconds }) => `${address} timeout ${seconds}s`).join(', ');
  const set = [
    `type ipv4_addr`,
    `flags timeout`,
    `size ${SET_SIZE}`,
    ...(addresses ? [`elements = { ${addresses} }`] : []),
  ];
  const rules = [
    'ct state established,related return',
    ...(subnets.length > 0 ? [`ip daddr { ${subnets.join(', ')} } return`] : []),
    `ip daddr @${SET}${digits(id)} return`,
    `counter packets ${packets} bytes ${bytes} reject with icmpx type admin-prohibited`,
  ];
  return block(`set ${SET}${digits(id)}`, set) + block(`chain ${egressChain(id)}`, rules);
}

function block(head: string, lines: readonly string[]): string {
  return `\t${head} {\n${lines.map((line) => `\t\t${line}\n`).join('')}\t}\n`;
}

function digits(id: string): string {
  return id.slice(0, ID_DIGITS);
}
