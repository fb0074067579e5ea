// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { writeNics } from '../../src/guest/nic.ts';
import { ConfigureTag } from '../../src/guest/protocol.ts';
import { TlvWriter } from '../../src/guest/tlv.ts';

const NIC = { slot: 19, name: 'eth0', mac: '02:42:ac:1f:00:02', mtu: 1500, metric: 3 };

/** [tag, value in hexadecimal] of each TLV. */
function written(addresses: { address: string; prefix: number }[], gateways: string[]): [number, string][] {
  const tlv = new TlvWriter();
  writeNics(tlv, [{ ...NIC, addresses, gateways }]);
  return itemsOf(tlv.finish('interfaces'));
}

function itemsOf(bytes: Buffer): [number, string][] {
  const items: [number, string][] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32LE(at + 4);
    items.push([bytes.readUInt16LE(at), bytes.toString('hex', at + 8, at + 8 + length)]);
    at += 8 + length;
  }
  return items;
}

describe('writeNics', () => {
  test('lays an interface and its IPv4 addresses out as the header has them', () => {
    expect(written([{ address: '172.31.0.2', prefix: 16 }], ['172.31.0.1'])).toEqual([
      [ConfigureTag.NIC, `13000000dc0500000242ac1f00020300${'65746830'.padEnd(32, '0')}`],
      [ConfigureTag.ADDRESS, `1300000004100000ac1f0002${'00'.repeat(12)}`],
      [ConfigureTag.GATEWAY, `1300000004000000ac1f0001${'00'.repeat(12)}`],
    ]);
  });

  test.each([
    ['fd00::2', `fd00${'00'.repeat(13)}02`],
    ['::', '00'.repeat(16)],
    ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
    ['::ffff:1.2.3.4', `${'00'.repeat(10)}ffff01020304`],
    ['2001:db8::', `20010db8${'00'.repeat(12)}`],
  ])('writes the IPv6 address %s in network order', (address, hex) => {
    expect(written([{ address, prefix: 64 }], [])[1]).toEqual([
      ConfigureTag.ADDRESS,
      `1300000006400000${hex}`,
    ]);
  });

  test('lays out what an address brings no route to, and the routes', () => {
    const tlv = new TlvWriter();
    const routes = [
      { address: '10.2.0.0', prefix: 16, metric: 0 },
      { address: '::', prefix: 0, gateway: 'fe80::1', onLink: true, metric: 1024 },
    ];
    const address = { address: '10.1.0.5', prefix: 32, apart: true };
    writeNics(tlv, [{ ...NIC, addresses: [address], gateways: [], routes }]);
    expect(itemsOf(tlv.finish('interfaces')).slice(1)).toEqual([
      [ConfigureTag.ADDRESS, `13000000042001000a010005${'00'.repeat(12)}`],
      [ConfigureTag.ROUTE, `1300000004100000000000000a020000${'00'.repeat(28)}`],
      [ConfigureTag.ROUTE, `130000000600010000040000${'00'.repeat(16)}fe80${'00'.repeat(13)}01`],
    ]);
  });
});
