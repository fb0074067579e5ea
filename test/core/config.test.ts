// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/core/config.ts';

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hrun-config-'));
});
afterEach(() => rm(dir, { recursive: true }));

async function load(text: string) {
  const file = join(dir, 'config.json');
  await writeFile(file, text);
  return await loadConfig({ HRUN_CONFIG: file });
}

describe('the configuration', () => {
  test('has defaults without a file', async () => {
    expect(await loadConfig({ XDG_CONFIG_HOME: dir })).toMatchObject({ pull: { parallelLayers: 3 } });
  });

  test('is read from the file that HRUN_CONFIG names', async () => {
    const registries = { 'reg.lan:5000': { plainHttp: true, mirrors: ['http://m.lan'], ca: '/etc/ca.pem' } };
    const cni = { configDirectory: '/etc/cni', pluginDirectories: ['/opt/cni'] };
    expect(await load(JSON.stringify({ registries, pull: { parallelLayers: 2 }, cni }))).toEqual({
      registries,
      pull: { parallelLayers: 2 },
      cni,
    });
  });

  test("is read from the user's configuration directory", async () => {
    await mkdir(join(dir, 'hrun'));
    await writeFile(join(dir, 'hrun', 'config.json'), '{"registries":{"a.test":{"plainHttp":true}}}');
    expect((await loadConfig({ XDG_CONFIG_HOME: dir })).registries['a.test']).toEqual({ plainHttp: true });
  });

  test.each([
    ['{', /not JSON/],
    ['[]', /must be object/],
    ['{"registry":{}}', /the file has no setting "registry"/],
    ['{"registries":{"a.test":{"insecure":true}}}', /\/registries\/a\.test has no setting "insecure"/],
    ['{"registries":{"a.test":{"plainHttp":"yes"}}}', /plainHttp must be boolean/],
    ['{"registries":{"a.test":{"mirrors":["m.lan"]}}}', /mirrors\/0 must match/],
    ['{"registries":{"https://a.test":{}}}', /registries/],
    ['{"pull":{"parallelLayers":0}}', /parallelLayers must be >= 1/],
    ['{"cni":{"configDirectory":"net.d"}}', /configDirectory must match/],
    ['{"cni":{"pluginDirectories":["/a:/b"]}}', /pluginDirectories\/0 must match/],
  ])('%s is refused with its place', async (text, message) => {
    const loaded = load(text);
    await expect(loaded).rejects.toEqual(expect.objectContaining({ code: 'CONFIG' }));
    await expect(loaded).rejects.toThrow(message);
    await expect(loaded).rejects.toThrow(join(dir, 'config.json'));
  });

  test('that was asked for but is missing is an error', async () => {
    await expect(loadConfig({ HRUN_CONFIG: join(dir, 'none') })).rejects.toThrow(/no such file/);
  });
});
