// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Restriction } from '../../src/network/egress.ts';
import { egressStates } from '../../src/network/egress-rules.ts';
import type { Network } from '../../src/network/network.ts';
import { type RulesState, ruleset } from '../../src/network/rules.ts';

const NFT = '/usr/sbin/nft';
const BASE = {
  version: 1,
  id: '',
  created: '',
  gateway: '',
  ipRange: undefined,
  mtu: 1500,
  labels: {},
  options: {},
} as const;
const OPEN: Network = {
  ...BASE,
  name: 'bridge',
  bridge: 'hrun0',
  subnet: '172.31.0.0/16',
  gateway: '172.31.0.1',
  internal: false,
};
const CLOSED: Network = {
  ...BASE,
  name: 'db',
  bridge: 'hrun1',
  subnet: '10.5.0.0/24',
  gateway: '10.5.0.1',
  internal: true,
};

const DUAL: Network = {
  ...OPEN,
  ...{ name: 'dual', bridge: 'hrun2', subnet: '10.6.0.0/24', gateway: '10.6.0.1' },
  ipv6: { subnet: 'fd00:1::/64', gateway: 'fd00:1::1', ipRange: undefined },
};

const rules = (networks: Network[], restrictions: Restriction[] = [], state?: RulesState) =>
  ruleset('hrun', { networks, restrictions }, state);

const cannot =
  process.getuid?.() === 0 && existsSync(NFT) ? undefined : 'this host cannot: needs root and nft';

describe('the firewall’s rules', () => {
  test('translate addresses of open networks only, and keep internal ones in', () => {
    const { text } = rules([OPEN, CLOSED]);
    expect(text).toContain('ip saddr 172.31.0.0/16 oifname != "hrun0" masquerade');
    expect(text).not.toContain('ip saddr 10.5.0.0/24 oifname');
    expect(text).toContain('iifname "hrun1" drop');
    expect(text).not.toContain('iifname "hrun0" drop');
  });

  test('have both families where a network has, and no IPv6 where it has not', () => {
    const { text } = rules([OPEN, DUAL]);
    expect(text).toContain('ip6 saddr fd00:1::/64 oifname != "hrun2" masquerade');
    expect(text).toContain('iifname "hrun2" ip6 saddr != { fd00:1::/64, fe80::/10 } drop');
    expect(text).toContain('iifname "hrun0" meta nfproto ipv6 drop');
    expect(rules([{ ...DUAL, internal: true }]).text).not.toContain('ip6 saddr fd00:1::/64 oifname');
  });

  test('have a marker that changes with them, and only then', () => {
    const one = rules([OPEN]);
    expect(rules([OPEN])).toEqual(one);
    expect(rules([OPEN, CLOSED]).marker).not.toBe(one.marker);
  });

  test('have what is published in their maps, which does not change the marker', () => {
    const port = { protocol: 'tcp', hostPort: 8080, address: '172.31.0.2', port: 80 } as const;
    const ports = [
      { ...port, hostIp: '0.0.0.0' },
      { ...port, hostIp: '127.0.0.1', protocol: 'udp' as const },
      { ...port, hostIp: '::', address: 'fd00:1::2' },
      { ...port, hostIp: '2001:db8::1', address: 'fd00:1::2' },
    ];
    const { text, marker } = rules([OPEN], [], { ports, egress: new Map() });
    expect(text).toContain('elements = { tcp . 8080 : 172.31.0.2 . 80 }');
    expect(text).toContain('elements = { 127.0.0.1 . udp . 8080 : 172.31.0.2 . 80 }');
    expect(text).toContain('elements = { tcp . 8080 : fd00:1::2 . 80 }');
    expect(text).toContain('elements = { 2001:db8::1 . tcp . 8080 : fd00:1::2 . 80 }');
    expect(marker).toBe(rules([OPEN]).marker);
  });

  const BOX: Restriction = {
    id: 'a'.repeat(64),
    addresses: ['10.5.0.2', '172.31.0.2'],
    subnets: ['192.0.2.0/24', '192.0.2.7/32'],
    names: [],
  };
  const KEY = 'a'.repeat(16);

  test('send what a restricted container begins to its chain, before anything lets it out', () => {
    const { text, marker } = rules([OPEN, CLOSED], [BOX]);
    expect(text).toContain(`10.5.0.2 : jump denied_${KEY}, 172.31.0.2 : jump denied_${KEY}`);
    expect(text).toContain('iifname "hrun1" ip daddr 10.5.0.1 meta l4proto { tcp, udp } th dport 53 accept');
    expect(text).not.toContain('iifname "hrun0" ip daddr');
    expect(text.indexOf('iifname "hrun1" drop')).toBeGreaterThan(text.indexOf('ip saddr vmap @restricted'));
    expect(marker).not.toBe(rules([OPEN, CLOSED]).marker);
    const { marker: other } = rules([OPEN, CLOSED], [{ ...BOX, addresses: ['10.5.0.2'] }]);
    expect(other).not.toBe(marker);
  });

  test('know what was denied and what names led to again when they are made anew', () => {
    const state = { packets: 5, bytes: 300, learned: [{ address: '192.0.2.9', seconds: 60 }] };
    const { text, marker } = rules([OPEN], [BOX], { ports: [], egress: new Map([[KEY, state]]) });
    expect(text).toContain('counter packets 5 bytes 300 reject');
    expect(text).toContain('elements = { 192.0.2.9 timeout 60s }');
    expect(marker).toBe(rules([OPEN], [BOX]).marker);
  });

  test.skipIf(cannot)(`tell nft’s own list of that${cannot ? ` (${cannot})` : ''}`, () => {
    const both = ['192.0.2.9', '2001:db8::9'].map((address) => ({ address, seconds: 3600 }));
    const state = { packets: 5, bytes: 300, learned: both };
    const all = { ...BOX, addresses: [...BOX.addresses, 'fd00:1::2'], subnets: ['0.0.0.0/0', 'fd00::/8'] };
    const { text, table } = rules([OPEN], [all, { ...BOX, id: 'b'.repeat(64), addresses: [] }], {
      ports: [],
      egress: new Map([[KEY, state]]),
    });
    const script = `nft -f - <<'E'\n${text}E\nnft -j list table inet ${table}`;
    const listed = JSON.parse(execFileSync('unshare', ['-n', 'sh', '-ec', script], { encoding: 'utf8' }));
    const states = egressStates(listed.nftables);
    expect([...states.keys()]).toEqual([KEY, 'b'.repeat(16)]);
    const { learned, ...counted } = states.get(KEY)!;
    expect(counted).toEqual({ packets: 5, bytes: 300 });
    expect(learned.map(({ address }) => address)).toEqual(['192.0.2.9', '2001:db8::9']);
    expect(learned[0]!.seconds).toBeGreaterThan(3000);
  });

  test.skipIf(cannot)(
    `are taken by nft as often as they come, beside those of others${cannot ? ` (${cannot})` : ''}`,
    () => {
      const port = { protocol: 'tcp', hostPort: 8080, address: 'fd00:1::2', port: 80 } as const;
      const ports = [
        { ...port, hostIp: '::' },
        { ...port, hostIp: '::1' },
      ];
      const { text, marker } = rules([OPEN, CLOSED, DUAL], [], { ports, egress: new Map() });
      const empty = rules([]).text;
      const script = `nft add table inet theirs; nft -f - <<'E'\n${empty}E\nfor i in 1 2; do nft -f - <<'E'\n${text}E\ndone; nft list ruleset`;
      const listed = execFileSync('unshare', ['-n', 'sh', '-ec', script], { encoding: 'utf8' });
      expect(listed).toContain('table inet theirs');
      expect(listed.match(new RegExp(marker, 'g'))).toHaveLength(1);
      expect(listed.match(/oifname != .* masquerade/g)).toHaveLength(3);
    },
  );
});
