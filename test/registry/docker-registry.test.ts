// SPDX-License-Identifier: Apache-2.0
// Images from real docker-registry processes, with each way to log in.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hrun } from '../fixtures/hrun.ts';
import { type Registry, startRegistry } from '../fixtures/registry.ts';
import { temporaryRoot } from '../fixtures/store-root.ts';

const ACCOUNT = { user: 'anna', password: 'secret word' };

let dir: string;
let root: AsyncDisposable;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hrun-home-'));
  root = await temporaryRoot();
  process.env.DOCKER_CONFIG = dir;
});
afterEach(async () => {
  delete process.env.DOCKER_CONFIG;
  delete process.env.HRUN_CONFIG;
  await root[Symbol.asyncDispose]();
  await rm(dir, { recursive: true });
});

async function ids(): Promise<string[]> {
  return (await hrun('images', '-q', '--no-trunc')).stdout.trim().split('\n');
}

function login(registry: Registry, password: string) {
  return hrun('login', '-u', ACCOUNT.user, '-p', password, registry.address);
}

describe('docker-registry', () => {
  test('gives a real image, whose ID is what skopeo says', async () => {
    await using registry = await startRegistry();
    await registry.push('debian:demo', 'library/debian:demo');
    expect(await hrun('pull', `${registry.address}/library/debian:demo`)).toMatchObject({ exitCode: 0 });
    const layout = JSON.parse(await readFile('build/fixtures/oci/index.json', 'utf8')) as {
      manifests: { digest: string; annotations: Record<string, string> }[];
    };
    const { digest } = layout.manifests.find(
      (entry) => entry.annotations['org.opencontainers.image.ref.name'] === 'debian:demo',
    )!;
    const manifest = JSON.parse(await readFile(`build/fixtures/oci/blobs/sha256/${digest.slice(7)}`, 'utf8'));
    expect(await ids()).toEqual([manifest.config.digest]);
    const missing = await hrun('pull', `${registry.address}/library/nope`);
    expect(missing).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('has no') });
    expect(await hrun('pull', '-aq', `${registry.address}/library/debian`)).toMatchObject({
      stdout: `${registry.address}/library/debian:demo\n`,
    });
  });

  test.each(['basic', 'token'] as const)('with %s authentication lets in who is logged in', async (auth) => {
    await using registry = await startRegistry({ auth, account: ACCOUNT });
    await registry.push('busybox', 'busybox:1');
    const name = `${registry.address}/busybox:1`;
    expect(await hrun('pull', name)).toMatchObject({ exitCode: 1 });
    const wrong = await login(registry, 'wrong');
    expect(wrong).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('refused the login') });
    expect(await readdir(dir)).toEqual([]);
    expect(await login(registry, ACCOUNT.password)).toMatchObject({
      exitCode: 0,
      stdout: 'Login Succeeded\n',
    });
    expect(await hrun('pull', '-q', name)).toMatchObject({ exitCode: 0, stdout: `${name}\n` });
    expect(await hrun('logout', registry.address)).toMatchObject({ exitCode: 0 });
    const out = await hrun('pull', name);
    expect(out).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/denied|refused/) });
  });

  test('with tokens for everybody needs no login', async () => {
    await using registry = await startRegistry({ auth: 'token' });
    await registry.push('busybox', 'busybox:1');
    expect(await hrun('pull', '-q', `${registry.address}/busybox:1`)).toMatchObject({ exitCode: 0 });
    expect(new Set(registry.tokenServer!.scopes.filter((scope) => scope.endsWith(':pull')))).toEqual(
      new Set(['repository:busybox:pull']),
    );
  });

  test('with https is trusted when the configuration names its authority', async () => {
    await using registry = await startRegistry({ tls: true });
    await registry.push('busybox', 'busybox:1');
    const name = `${registry.address}/busybox:1`;
    const unknown = await hrun('pull', name);
    expect(unknown).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/cannot reach https:.*\.ca/),
    });
    process.env.HRUN_CONFIG = join(dir, 'hrun.json');
    const registries = { [registry.address]: { ca: registry.caFile } };
    await writeFile(process.env.HRUN_CONFIG, JSON.stringify({ registries }));
    expect(await hrun('pull', '-q', name)).toMatchObject({ exitCode: 0 });
  });
});
