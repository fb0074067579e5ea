// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Network } from '../../src/network/network.ts';
import { ruleset } from '../../src/network/rules.ts';

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
const OPEN: Network = { ...BASE, name: 'bridge', bridge: 'hrun0', subnet: '172.31.0.0/16', internal: false };
const CLOSED: Network = { ...BASE, name: 'db', bridge: 'hrun1', subnet: '10.5.0.0/24', internal: true };

const cannot =
  process.getuid?.() === 0 && existsSync(NFT) ? undefined : 'this host cannot: needs root and nft';

describe('the firewall’s rules', () => {
  test('translate addresses of open networks only, and keep internal ones in', () => {
    const { text } = ruleset('hrun', [OPEN, CLOSED]);
    expect(text).toContain('ip saddr 172.31.0.0/16 oifname != "hrun0" masquerade');
    expect(text).not.toContain('ip saddr 10.5.0.0/24 oifname');
    expect(text).toContain('iifname "hrun1" drop');
    expect(text).not.toContain('iifname "hrun0" drop');
  });

  test('have a marker that changes with them, and only then', () => {
    const one = ruleset('hrun', [OPEN]);
    expect(ruleset('hrun', [OPEN])).toEqual(one);
    expect(ruleset('hrun', [OPEN, CLOSED]).marker).not.toBe(one.marker);
  });

  test('have what is published in their maps, which does not change the marker', () => {
    const port = { protocol: 'tcp', hostPort: 8080, address: '172.31.0.2', port: 80 } as const;
    const { text, marker } = ruleset(
      'hrun',
      [OPEN],
      [
        { ...port, hostIp: '0.0.0.0' },
        { ...port, hostIp: '127.0.0.1', protocol: 'udp' },
      ],
    );
    expect(text).toContain('elements = { tcp . 8080 : 172.31.0.2 . 80 }');
    expect(text).toContain('elements = { 127.0.0.1 . udp . 8080 : 172.31.0.2 . 80 }');
    expect(marker).toBe(ruleset('hrun', [OPEN]).marker);
  });

  test.skipIf(cannot)(
    `are taken by nft as often as they come, beside those of others${cannot ? ` (${cannot})` : ''}`,
    () => {
      const { text, marker } = ruleset('hrun', [OPEN, CLOSED]);
      const empty = ruleset('hrun', []).text;
      const script = `nft add table inet theirs; nft -f - <<'E'\n${empty}E\nfor i in 1 2; do nft -f - <<'E'\n${text}E\ndone; nft list ruleset`;
      const listed = execFileSync('unshare', ['-n', 'sh', '-ec', script], { encoding: 'utf8' });
      expect(listed).toContain('table inet theirs');
      expect(listed.match(new RegExp(marker, 'g'))).toHaveLength(1);
      expect(listed.match(/oifname != .* masquerade/g)).toHaveLength(1);
    },
  );
});
