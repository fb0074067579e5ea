// SPDX-License-Identifier: Apache-2.0
// Adding and leaving with real plug-ins of containernetworking-plugins is tested in test/vm/cni.test.ts; here with scripts of the test's own.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type CniList, findCniList } from '../../src/network/cni-lists.ts';
import { cniInputs } from '../../src/network/cni-network.ts';
import { findCniPrograms, runCniProgram } from '../../src/network/cni-programs.ts';

let directory: string;
let list: CniList;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hrun-cni-'));
  const plugins = [
    { type: 'bridge', ipam: { type: 'host-local' }, capabilities: { mac: true, ips: true } },
    { type: 'portmap', capabilities: { portMappings: true } },
  ];
  writeFileSync(
    join(directory, 'x.conflist'),
    JSON.stringify({ cniVersion: '1.0.0', name: 'blue', plugins }),
  );
  list = findCniList('blue', { configDirectory: directory });
});
afterEach(() => rmSync(directory, { recursive: true }));

function script(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
}

describe('what plug-ins read', () => {
  const runtime = { mac: '02:42:0a:01:00:05', portMappings: [{ hostPort: 80 }] };
  const read = (result?: Record<string, unknown>) =>
    cniInputs(list, ['/a', '/b'], runtime, result && { raw: result, addresses: [], dns: NO_DNS }).map(
      ({ program, input }) => [program, JSON.parse(input)],
    );
  const NO_DNS = { servers: [], search: [], options: [] };

  test('is their part of the list, its name and version, and what they have the capability for', () => {
    expect(read()).toMatchObject([
      ['/a', { type: 'bridge', name: 'blue', cniVersion: '1.0.0', runtimeConfig: { mac: runtime.mac } }],
      ['/b', { type: 'portmap', runtimeConfig: { portMappings: runtime.portMappings } }],
    ]);
    expect(Object.keys(read()[0]![1].runtimeConfig)).toEqual(['mac']);
    expect(read()[0]![1]).not.toHaveProperty('prevResult');
  });

  test('is also the result of those before', () => {
    expect(read({ ips: [] })[1]![1].prevResult).toEqual({ ips: [] });
  });
});

describe('programs', () => {
  test('are looked for in each directory, in their order, the address management too', () => {
    const places = { configDirectory: directory, pluginDirectories: ['/nowhere', directory] };
    expect(() => findCniPrograms(list, places)).toThrow(
      expect.objectContaining({
        code: 'HOST_SETUP',
        message: `CNI network blue needs the plug-in host-local, which is not in /nowhere, ${directory}`,
        hint: 'run: apt-get install containernetworking-plugins',
      }),
    );
    for (const name of ['bridge', 'portmap', 'host-local']) script(name, 'true');
    expect(findCniPrograms(list, places)).toEqual([join(directory, 'bridge'), join(directory, 'portmap')]);
  });

  test("of others' are not in that package", () => {
    const flannel = { ...list, plugins: [{ ...list.plugins[0]!, type: 'flannel', ipam: undefined }] };
    expect(() => findCniPrograms(flannel, { configDirectory: '', pluginDirectories: ['/x'] })).toThrow(
      expect.objectContaining({ hint: 'install it there, or name its directory in CNI_PATH' }),
    );
  });

  test('read what they are told, know their command, and see nothing of the caller', async () => {
    const program = script('p', 'echo "$(cat) $CNI_COMMAND [$HRUN_ROOT] $PWD"');
    const env = { CNI_COMMAND: 'ADD', PATH: '/usr/bin:/bin' };
    process.env.HRUN_ROOT ??= '/x';
    expect(await runCniProgram('blue', { program, input: '{}' }, env)).toBe('{} ADD [] /\n');
  });

  test.each([
    [`echo '{"code":11,"msg":"no address left"}'; exit 1`, 'no address left'],
    ['echo first >&2; echo last >&2; exit 1', 'last'],
    ['exit 7', 'ended with 7 and said nothing'],
    ['kill -9 $$', 'was killed by SIGKILL'],
    ['head -c 2000000 /dev/zero', 'wrote more than 1048576 bytes'],
  ])('that fail by %j are told of in one line', async (text, why) => {
    const program = script('p', text);
    const told = runCniProgram('blue', { program, input: '{}'.padEnd(200_000) }, { PATH: '/usr/bin:/bin' });
    await expect(told).rejects.toThrow(`CNI network blue: plug-in p: ${why}`);
  });
});
