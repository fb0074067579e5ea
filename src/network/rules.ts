// SPDX-License-Identifier: Apache-2.0
// The firewall of a store's networks as one text for nft(8), which carries it out as one transaction: docs/networks.md, "Firewall".
import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import type { Restriction } from './egress.ts';
import { CHECK_EGRESS, type EgressStates, egressChains } from './egress-rules.ts';
import { DEFAULT_NETWORK, type Network } from './network.ts';
import type { PublishedPort } from './published-ports.ts';

/** of the host, in each family */
const ANY_ADDRESS = ['0.0.0.0', '::'];
/** What neighbours say to each other, to which a container may not go too. */
const NEIGHBOUR_WORDS = 'icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert }';

export interface Ruleset {
  /** of the family inet */
  table: string;
  /** a chain whose rule is there as long as the whole text, but for what comes and goes in it, is in force */
  marker: string;
  /** input of nft -f */
  text: string;
}

/** The table of a store's rules, of the family inet. */
export function tableName(tag: string): string {
  return `${tag}_networks`;
}

/** What the rules are about. */
export interface RulesOf {
  networks: readonly Network[];
  /** containers that may not go everywhere */
  restrictions: readonly Restriction[];
}

/** What comes and goes in them without this module: ports by keepers (native/net/port_map.h), addresses of names by name servers. */
export interface RulesState {
  ports: readonly PublishedPort[];
  egress: EgressStates;
}

const NO_STATE: RulesState = { ports: [], egress: new Map() };

/** The rules for all networks of a store; `tag` names its table. The same networks and restrictions give the same marker, whatever the state. */
export function ruleset(tag: string, rules: RulesOf, { ports, egress }: RulesState = NO_STATE): Ruleset {
  const table = tableName(tag);
  const fixed = chains(rules.networks);
  const body = egressChains(rules.restrictions, NO_STATE.egress) + fixed;
  const marker = `rules_${createHash('sha256').update(body).digest('hex').slice(0, 16)}`;
  // Naming the table first makes the deletion succeed whether or not it is there.
  const text = `table inet ${table}
delete table inet ${table}
table inet ${table} {
\tchain ${marker} {
\t\treturn
\t}
${portMaps(ports)}${egressChains(rules.restrictions, egress)}${fixed}}
`;
  return { table, marker, text };
}

function chains(networks: readonly Network[]): string {
  const bridges = networks.map(({ bridge }) => `"${bridge}"`).join(', ');
  return [
    set('bridges', 'ifname', bridges),
    chain('prerouting', 'filter', 'prerouting', 'raw', [
      'iifname @bridges ip daddr 127.0.0.0/8 drop',
      ...networks.flatMap(ownAddressesOnly),
    ]),
    chain('forward', 'filter', 'forward', 'filter', forwarding(networks)),
    chain('input', 'filter', 'input', 'filter', [
      ...networks.flatMap(toNameServer),
      `iifname @bridges ${NEIGHBOUR_WORDS} accept`,
      'iifname @bridges ip6 saddr fe80::/10 drop',
      ...CHECK_EGRESS,
    ]),
    chain('published_in', 'nat', 'prerouting', 'dstnat', ['ip daddr 127.0.0.0/8 return', ...PUBLISHED]),
    chain('published_here', 'nat', 'output', '-100', PUBLISHED),
    chain('postrouting', 'nat', 'postrouting', 'srcnat', networks.flatMap(translation)),
  ].join('');
}

/**
 * A packet for a published port goes to the container. One from outside for 127.0.0.0/8 is no packet for anybody. One for ::1 stays here,
 * for answers could not come back: the keeper's socket has it (native/monitor/loopback_ports.h).
 */
const PUBLISHED = [
  'dnat ip to ip daddr . meta l4proto . th dport map @published_at',
  'meta nfproto ipv4 fib daddr type local dnat ip to meta l4proto . th dport map @published',
  'ip6 daddr ::1 return',
  'dnat ip6 to ip6 daddr . meta l4proto . th dport map @published6_at',
  'meta nfproto ipv6 fib daddr type local dnat ip6 to meta l4proto . th dport map @published6',
];

function portMaps(ports: readonly PublishedPort[]): string {
  return ['', '6']
    .flatMap((family) => {
      const address = family ? 'ipv6_addr' : 'ipv4_addr';
      const own = ports.filter(({ hostIp }) => isIPv6(hostIp) === Boolean(family));
      const [anywhere, at] = [true, false].map((wanted) =>
        own
          .filter(({ hostIp }) => ANY_ADDRESS.includes(hostIp) === wanted)
          .map((port) => mapElement(port, wanted)),
      );
      const service = 'inet_proto . inet_service';
      return [
        map(`published${family}`, `${service} : ${address} . inet_service`, anywhere!.join(', ')),
        map(`published${family}_at`, `${address} . ${service} : ${address} . inet_service`, at!.join(', ')),
      ];
    })
    .join('');
}

function mapElement({ protocol, hostIp, hostPort, address, port }: PublishedPort, anywhere: boolean): string {
  return `${anywhere ? '' : `${hostIp} . `}${protocol} . ${hostPort} : ${address} . ${port}`;
}

/** What a port's own filter lets through has the container's address; this holds for whatever else joins the bridge. */
function ownAddressesOnly({ bridge, subnet, ipv6 }: Network): string[] {
  return [
    `iifname "${bridge}" ip saddr != ${subnet} drop`,
    ipv6
      ? `iifname "${bridge}" ip6 saddr != { ${ipv6.subnet}, fe80::/10 } drop`
      : `iifname "${bridge}" meta nfproto ipv6 drop`,
  ];
}

/** A network's name server is its containers', wherever else they may go. It passes on only what they may ask. */
function toNameServer({ name, bridge, gateway }: Network): string[] {
  if (name === DEFAULT_NETWORK) return [];
  return [`iifname "${bridge}" ip daddr ${gateway} meta l4proto { tcp, udp } th dport 53 accept`];
}

/** Within a network everything goes; out of it what a container began; between two, and into one from outside, what is published. */
function forwarding(networks: readonly Network[]): string[] {
  return [
    'iifname != @bridges oifname != @bridges accept',
    ...networks.map(({ bridge }) => `iifname "${bridge}" oifname "${bridge}" accept`),
    ...CHECK_EGRESS,
    ...networks.filter(({ internal }) => internal).map(({ bridge }) => `iifname "${bridge}" drop`),
    'ct state established,related accept',
    'ct status dnat accept',
    'iifname @bridges oifname @bridges drop',
    'oifname @bridges drop',
  ];
}

/** A published port that a network's own container, or the host's loopback, asks is answered by way of the host. */
function translation({ bridge, subnet, ipv6, internal }: Network): string[] {
  if (internal) return [];
  return [
    `ip saddr ${subnet} oifname != "${bridge}" masquerade`,
    `ip saddr { ${subnet}, 127.0.0.0/8 } oifname "${bridge}" ct status dnat masquerade`,
    ...(ipv6
      ? [
          `ip6 saddr ${ipv6.subnet} oifname != "${bridge}" masquerade`,
          `ip6 saddr ${ipv6.subnet} oifname "${bridge}" ct status dnat masquerade`,
        ]
      : []),
  ];
}

function map(name: string, type: string, elements: string): string {
  const items = elements ? `\t\telements = { ${elements} }\n` : '';
  return `\tmap ${name} {\n\t\ttype ${type}\n${items}\t}\n`;
}

function set(name: string, type: string, elements: string): string {
  const items = elements ? `\t\telements = { ${elements} }\n` : '';
  return `\tset ${name} {\n\t\ttype ${type}\n${items}\t}\n`;
}

function chain(name: string, type: string, hook: string, priority: string, rules: readonly string[]): string {
  const head = `type ${type} hook ${hook} priority ${priority}; policy accept;`;
  return `\tchain ${name} {\n\t\t${head}\n${rules.map((rule) => `\t\t${rule}\n`).join('')}\t}\n`;
}
