// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findCniList, isCniNetwork, isSince } from '../../src/network/cni-lists.ts';

let configDirectory: string;

beforeEach(() => {
  configDirectory = mkdtempSync(join(tmpdir(), 'hrun-cni-'));
});
afterEach(() => rmSync(configDirectory, { recursive: true }));

const LIST = {
  cniVersion: '1.0.0',
  name: 'blue',
  plugins: [
    { type: 'bridge', ipam: { type: 'host-local' } },
    { type: 'portmap', capabilities: { portMappings: true, ips: false } },
  ],
};

const put = (file: string, content: unknown) =>
  writeFileSync(join(configDirectory, file), typeof content === 'string' ? content : JSON.stringify(content));
const find = (name: string) => findCniList(name, { configDirectory });

describe('a CNI list', () => {
  test('is found by its name, not its file, with its plug-ins and what they can be told', () => {
    put('10-x.conflist', LIST);
    const list = find('blue');
    expect(list).toMatchObject({ name: 'blue', cniVersion: '1.0.0', disableCheck: false });
    expect(list.plugins.map(({ type, ipam }) => [type, ipam])).toEqual([
      ['bridge', 'host-local'],
      ['portmap', undefined],
    ]);
    expect([...list.plugins[1]!.capabilities]).toEqual(['portMappings']);
  });

  test('is that of the first file, if several have its name; others than *.conflist and *.conf do not count', () => {
    put('20-x.conflist', { ...LIST, cniVersion: '0.4.0' });
    put('10-x.conf', { cniVersion: '0.3.1', name: 'blue', type: 'ptp' });
    put('00-x.json', { ...LIST, cniVersion: '1.1.0' });
    put('00-x.conflist.bak', 'rubbish');
    expect(find('blue')).toMatchObject({ cniVersion: '0.3.1', plugins: [{ type: 'ptp' }] });
  });

  test('that is not there is told with those that are, and with what is wrong with a file', () => {
    put('10-x.conflist', LIST);
    put('20-y.conf', { cniVersion: '1.0.0', name: 'red', type: 'ptp' });
    expect(() => find('green')).toThrow(
      expect.objectContaining({
        code: 'NO_SUCH_NETWORK',
        message: `no CNI network "green": ${configDirectory} has blue, red`,
      }),
    );
    put('30-z.conflist', '{');
    expect(() => find('green')).toThrow(
      expect.objectContaining({ hint: `${configDirectory}/30-z.conflist is not JSON` }),
    );
    configDirectory = join(configDirectory, 'none');
    expect(() => find('')).toThrow('has no list of any network');
    configDirectory = join(configDirectory, '..');
  });

  test.each([
    [{ cniVersion: '0.2.0' }, 'cniVersion "0.2.0" is none of 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0'],
    [{ cniVersion: undefined }, 'cniVersion "" is none of'],
    [{ plugins: [] }, '"plugins" lists no plug-in'],
    [{ plugins: {} }, '"plugins" lists no plug-in'],
    [{ plugins: [{}] }, 'plug-in 1 has no type that names a program'],
    [{ plugins: [{ type: '../../bin/sh' }] }, 'plug-in 1 has no type that names a program'],
    [{ plugins: ['bridge'] }, 'plug-in 1 has no type that names a program'],
  ])('with %j is refused: %s', (wrong, message) => {
    put('10-x.conflist', { ...LIST, ...wrong });
    expect(() => find('blue')).toThrow(message);
  });
});

test('versions have an order, and cni: is before the names of their networks', () => {
  expect(isSince('0.4.0', '0.4.0')).toBe(true);
  expect(isSince('1.0.0', '0.4.0')).toBe(true);
  expect(isSince('0.3.1', '0.4.0')).toBe(false);
  expect(isCniNetwork('cni:blue')).toBe(true);
  expect(isCniNetwork('cni')).toBe(false);
  expect(isCniNetwork(undefined)).toBe(false);
});
