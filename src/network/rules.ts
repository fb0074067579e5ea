// SPDX-License-Identifier: Apache-2.0
// The firewall of a store's networks as one text for nft(8), which carries it out as one transaction: docs/networks.md, "Firewall".
import { createHash } from 'node:crypto';
import type { Network } from './network.ts';

export interface Ruleset {
  /** of the family inet */
  table: string;
  /** a chain whose rule is there as long as the whole text is in force */
  marker: string;
  /** input of nft -f */
  text: string;
}

/** The rules for all networks of a store; `tag` names its table. The same networks give the same text. */
export function ruleset(tag: string, networks: readonly Network[]): Ruleset {
  const table = `${tag}_networks`;
  const body = chains(networks);
  const marker = `rules_${createHash('sha256').update(body).digest('hex').slice(0, 16)}`;
  // Naming the table first makes the deletion succeed whether or not it is there.
  const text = `table inet ${table}
delete table inet ${table}
table inet ${table} {
\tchain ${marker} {
\t\treturn
\t}
${body}}
`;
  return { table, marker, text };
}

function chains(networks: readonly Network[]): string {
  const bridges = networks.map(({ bridge }) => `"${bridge}"`).join(', ');
  return [
    set('bridges', 'ifname', bridges),
    chain('prerouting', 'filter', 'prerouting', 'raw', networks.map(ownAddressesOnly)),
    chain('input', 'filter', 'input', 'filter', ['iifname @bridges ip daddr 127.0.0.0/8 drop']),
    chain('forward', 'filter', 'forward', 'filter', forwarding(networks)),
    chain('postrouting', 'nat', 'postrouting', 'srcnat', networks.flatMap(translation)),
  ].join('');
}

/** What a port's own filter lets through has the container's address; this holds for whatever else joins the bridge. */
function ownAddressesOnly({ bridge, subnet }: Network): string {
  return `iifname "${bridge}" ip saddr != ${subnet} drop`;
}

/** Within a network everything goes; out of it what a container began; between two, and into one from outside, nothing. */
function forwarding(networks: readonly Network[]): string[] {
  return [
    'iifname != @bridges oifname != @bridges accept',
    ...networks.map(({ bridge }) => `iifname "${bridge}" oifname "${bridge}" accept`),
    ...networks.filter(({ internal }) => internal).map(({ bridge }) => `iifname "${bridge}" drop`),
    'iifname @bridges oifname @bridges drop',
    'ct state established,related accept',
    'oifname @bridges drop',
  ];
}

function translation({ bridge, subnet, internal }: Network): string[] {
  return internal ? [] : [`ip saddr ${subnet} oifname != "${bridge}" masquerade`];
}

function set(name: string, type: string, elements: string): string {
  const items = elements ? `\t\telements = { ${elements} }\n` : '';
  return `\tset ${name} {\n\t\ttype ${type}\n${items}\t}\n`;
}

function chain(name: string, type: string, hook: string, priority: string, rules: readonly string[]): string {
  const head = `type ${type} hook ${hook} priority ${priority}; policy accept;`;
  return `\tchain ${name} {\n\t\t${head}\n${rules.map((rule) => `\t\t${rule}\n`).join('')}\t}\n`;
}
