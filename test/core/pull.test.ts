// SPDX-License-Identifier: Apache-2.0
// Pulling into the store, from a registry that can be made to misbehave.
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Root } from '../../src/base/root.ts';
import { pullImage } from '../../src/core/pull.ts';
import { blobPath } from '../../src/image/blob-store.ts';
import { openImageStore, rootDisks } from '../../src/image/index.ts';
import { layerPath } from '../../src/image/layer.ts';
import { parseTagged } from '../../src/registry/index.ts';
import { type BuiltImage, buildImage, buildIndex, makeTar, noise } from '../fixtures/built-image.ts';
import { hrun, hrunProcess } from '../fixtures/hrun.ts';
import {
  answer,
  isBlob,
  type MisbehavingRegistry,
  startMisbehavingRegistry,
} from '../fixtures/misbehaving-registry.ts';
import { storeFiles, temporaryRoot, unfinished } from '../fixtures/store-root.ts';

const INDEX = 'application/vnd.oci.image.index.v1+json';

let registry: MisbehavingRegistry;
let root: Root & AsyncDisposable;

beforeEach(async () => {
  [registry, root] = [await startMisbehavingRegistry(), await temporaryRoot()];
});
afterEach(async () => {
  await registry[Symbol.asyncDispose]();
  await root[Symbol.asyncDispose]();
});

const layerA = makeTar({ 'a.txt': 'a', data: noise(200_000, 1) });
const layerB = makeTar({ 'b.txt': 'b', data: noise(200_000, 2) });

function pull(tag = 'latest', ...options: string[]) {
  return hrun('pull', ...options, `${registry.address}/app:${tag}`);
}

function fetchedBlobs(): string[] {
  return registry.seen.filter(({ url }) => url.includes('/blobs/')).map(({ url }) => url.split('/').at(-1)!);
}

/** What fsck.erofs says of every layer in the store, and what is in them. */
async function checkLayers(image: BuiltImage): Promise<void> {
  for (const diffId of image.diffIds) await execa('fsck.erofs', [layerPath(root, diffId)]);
}

describe('a pull', () => {
  test('brings manifest, config, layers and names, each under its digest', async () => {
    const image = buildImage({ tars: [layerA, layerB] });
    registry.add('latest', image);
    const said = await pull();
    expect(said).toMatchObject({ exitCode: 0 });
    expect(said.stdout).toBe(
      `Digest: ${image.descriptor.digest}
Status: Downloaded newer image for ${registry.address}/app:latest
${registry.address}/app:latest
`,
    );
    for (const [digest, bytes] of [...image.blobs, [image.descriptor.digest, image.manifestBytes] as const]) {
      const kept = await readFile(blobPath(root, digest as `sha256:${string}`));
      expect(createHash('sha256').update(kept).digest('hex')).toBe(digest.slice(7));
      expect(kept.equals(bytes)).toBe(true);
    }
    await checkLayers(image);
    expect(await unfinished(root)).toEqual([]);
  });

  test('of an image that is there changes nothing and fetches no blob but the config', async () => {
    registry.add('latest', buildImage({ tars: [layerA] }));
    await pull();
    const before = await storeFiles(root);
    for (const file of ['images/index.json', 'events.log']) before.delete(file);
    registry.seen.length = 0;
    expect((await pull()).stdout).toContain('Image is up to date');
    expect(fetchedBlobs()).toHaveLength(1);
    const after = await storeFiles(root);
    for (const file of ['images/index.json', 'events.log']) after.delete(file);
    expect(after).toEqual(before);
  });

  test('fetches only the layers that are not there, packed in whatever way', async () => {
    const first = buildImage({ tars: [layerA] });
    const second = buildImage({
      tars: [layerA, layerB],
      pack: zstdCompressSync,
      layerType: 'application/vnd.oci.image.layer.v1.tar+zstd',
    });
    registry.add('first', first);
    registry.add('second', second);
    await pull('first');
    registry.seen.length = 0;
    expect(await pull('second')).toMatchObject({ exitCode: 0 });
    expect(fetchedBlobs()).toEqual([second.manifest.config.digest, second.manifest.layers[1]!.digest]);
    await checkLayers(second);
  });

  test.each([
    ['gzip', gzipSync, '+gzip'],
    ['zstd', zstdCompressSync, '+zstd'],
    ['no compression', (tar: Buffer) => tar, ''],
    ['no layers', gzipSync, '+gzip'],
  ])('works with %s', async (kind, pack, suffix) => {
    const tars = kind === 'no layers' ? [] : [layerA];
    const image = buildImage({ tars, pack, layerType: `application/vnd.oci.image.layer.v1.tar${suffix}` });
    registry.add('latest', image);
    expect(await pull()).toMatchObject({ exitCode: 0 });
    await checkLayers(image);
    expect((await hrun('images', '-q')).stdout).toBe(`${image.manifest.config.digest.slice(7, 19)}\n`);
  });

  test('of an image with the same layer three times fetches it once', async () => {
    const image = buildImage({ tars: [layerA, layerB, layerA, layerA] });
    registry.add('latest', image);
    expect(await pull()).toMatchObject({ exitCode: 0 });
    expect(fetchedBlobs().filter((digest) => digest === image.manifest.layers[0]!.digest)).toHaveLength(1);
  });

  test('by digest gives no tag, and a moved tag leaves the old image without one', async () => {
    const [old, next] = [buildImage({ tars: [layerA] }), buildImage({ tars: [layerB] })];
    registry.add('latest', old);
    await hrun('pull', `${registry.address}/app@${old.descriptor.digest}`);
    const format = '{{.Repository}}:{{.Tag}} {{.ID}}';
    const id = (image: BuiltImage) => image.manifest.config.digest.slice(7, 19);
    expect((await hrun('images', '--format', format)).stdout).toBe(
      `${registry.address}/app:<none> ${id(old)}\n`,
    );
    await pull();
    registry.add('latest', next);
    await pull();
    expect((await hrun('images', '--format', format)).stdout.trim().split('\n').sort()).toEqual(
      [`${registry.address}/app:<none> ${id(old)}`, `${registry.address}/app:latest ${id(next)}`].sort(),
    );
  });

  test('of all tags brings each', async () => {
    registry.add('one', buildImage({ tars: [layerA] }));
    registry.add('two', buildImage({ tars: [layerB] }));
    registry.misbehave((request, response) => {
      if (!request.url!.includes('/tags/list')) return false;
      answer(response, 200, {}, '{"name":"app","tags":["one","two"]}');
      return true;
    });
    expect(await hrun('pull', '-aq', `${registry.address}/app`)).toMatchObject({
      exitCode: 0,
      stdout: `${registry.address}/app:one\n${registry.address}/app:two\n`,
    });
  });
});

describe('an index', () => {
  const amd = buildImage({ tars: [layerA] });
  const arm = buildImage({ tars: [layerB], config: { architecture: 'arm64' } });

  test('gives the image for the platform, and the name its own digest', async () => {
    const index = buildIndex([
      { image: arm, platform: 'linux/arm64/v8' },
      { image: amd, platform: 'linux/amd64' },
    ]);
    registry.add('x', amd);
    registry.add('y', arm);
    registry.addDocument('latest', INDEX, index);
    const digest = `sha256:${createHash('sha256').update(index).digest('hex')}`;
    expect((await pull()).stdout).toContain(`Digest: ${digest}`);
    expect(
      (await hrun('inspect', '-f', '{{.Architecture}} {{.RepoDigests}}', `${registry.address}/app`)).stdout,
    ).toBe(`amd64 [${registry.address}/app@${digest}]\n`);
    expect(await pull('latest', '--platform', 'linux/arm64')).toMatchObject({ exitCode: 0 });
    expect((await hrun('inspect', '-f', '{{.Architecture}}', `${registry.address}/app`)).stdout).toBe(
      'arm64\n',
    );
  });

  test('without the platform names those it has', async () => {
    registry.addDocument('latest', INDEX, buildIndex([{ image: arm, platform: 'linux/arm64/v8' }]));
    expect(await pull()).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/is for linux\/arm64\/v8, not for linux\/amd64/),
    });
  });

  test('that leads to itself ends', async () => {
    const self = {
      schemaVersion: 2,
      manifests: [{ ...amd.descriptor, mediaType: INDEX, platform: { os: 'linux', architecture: 'amd64' } }],
    };
    registry.addDocument('latest', INDEX, Buffer.from(JSON.stringify(self)));
    registry.manifests.set(amd.descriptor.digest, registry.manifests.get('latest')!);
    expect((await pull()).exitCode).toBe(1);
  });
});

describe('a pull that fails says why in one line and leaves the store usable', () => {
  const good = buildImage({ tars: [layerA] });

  /** Serves `image` with the blob of its first layer replaced, then checks that the right one can be pulled. */
  async function pullSpoilt(image: BuiltImage, blob: Buffer): Promise<string> {
    registry.add('latest', image);
    registry.blobs.set(image.manifest.layers[0]!.digest, blob);
    const said = await pull();
    expect(said).toMatchObject({ exitCode: 1, stdout: '' });
    expect((await hrun('images', '-q')).stdout).toBe('');
    expect(await unfinished(root)).toEqual([]);
    expect(await readdir(root.layers)).toEqual([]);
    registry.add('latest', good);
    expect(await pull()).toMatchObject({ exitCode: 0 });
    return lastLine(said.stderr);
  }

  test('when a blob of the right length has other bytes', async () => {
    const blob = Buffer.from(good.blobs.get(good.manifest.layers[0]!.digest)!);
    blob[blob.length - 20]! ^= 1; // in the compressed data
    expect(await pullSpoilt(good, blob)).toMatch(/^hrun: layer sha256:\S+ (?:is corrupt|.* arrived as)/);
  });

  test('when an uncompressed blob has other bytes', async () => {
    const plain = buildImage({
      tars: [layerA],
      pack: (tar) => tar,
      layerType: 'application/vnd.oci.image.layer.v1.tar',
    });
    const blob = Buffer.from(layerA);
    blob[1024 + 700]! ^= 1;
    expect(await pullSpoilt(plain, blob)).toMatch(/arrived as sha256:/);
  });

  const gz = gzipSync(layerA);
  test.each([
    ['a gzip that is cut short', gz.subarray(0, gz.length - 1000), /is corrupt/],
    ['a gzip with a wrong CRC', spoil(gz, gz.length - 6), /is corrupt/],
    ['a tar that is cut short', gzipSync(layerA.subarray(0, 100_000)), /is corrupt/],
    ['a tar with a broken header', gzipSync(spoil(layerA, 148)), /is corrupt/],
    ['something that is no tar', gzipSync(noise(5000)), /is corrupt/],
    [
      'another layer than the config says',
      gzipSync(layerB),
      /unpacks to sha256:\S+, but the image's config says/,
    ],
  ])('when a layer is %s, though its digest is right', async (_, blob, message) => {
    const honest = buildImage({ tars: [layerA], pack: () => blob });
    expect(await pullSpoilt(honest, blob)).toMatch(message);
  });

  test('when the image is for another CPU', async () => {
    registry.add('latest', buildImage({ config: { architecture: 's390x' } }));
    const said = await pull();
    expect(said.exitCode).toBe(1);
    expect(said.stderr).toMatch(/is for linux\/s390x, not for linux\/amd64; this host cannot run it/);
    expect(fetchedBlobs()).toHaveLength(1); // the config
  });

  test('when there is no such tag', async () => {
    registry.add('latest', good);
    const said = await pull('nope');
    expect(said).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining(
        `has no image ${registry.address}/app:nope; check the name and the tag`,
      ),
    });
  });

  test('when the disk is full', async () => {
    const full = join(root.dir, 'full');
    await mkdir(full);
    await execa('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', full]);
    try {
      registry.add('latest', buildImage({ tars: [makeTar({ data: noise(3_000_000) })] }));
      registry.add('small', good);
      const env = { HRUN_ROOT: full };
      const said = await hrunProcess(['pull', `${registry.address}/app`], { env, reject: false });
      expect(said.exitCode).toBe(1);
      expect(lastLine(said.stderr)).toMatch(/^hrun: no space left for .*; free some space/);
      const small = await hrunProcess(['pull', `${registry.address}/app:small`], { env, reject: false });
      expect(small.exitCode).toBe(0);
    } finally {
      await execa('umount', [full]);
    }
  });
});

describe('the store', () => {
  test('converts a layer again when only its blob is there', async () => {
    const image = buildImage({ tars: [layerA] });
    registry.add('latest', image);
    await pull();
    const made = await readFile(layerPath(root, image.diffIds[0]!));
    await rm(layerPath(root, image.diffIds[0]!));
    registry.seen.length = 0;
    await pull();
    expect(fetchedBlobs()).toEqual([image.manifest.config.digest]);
    expect((await readFile(layerPath(root, image.diffIds[0]!))).equals(made)).toBe(true);
  });

  test('gives the disks of an image, lowest first, and merges what is too deep', async () => {
    const tars = Array.from({ length: 5 }, (_, i) => makeTar({ [`file${i}`]: `${i}` }));
    const image = buildImage({ tars });
    registry.add('latest', image);
    using store = await openImageStore(root, { write: true });
    const pulled = await pullImage(store, parseTagged(`${registry.address}/app`));
    expect(await rootDisks(store, pulled.image, 5)).toEqual(
      image.diffIds.map((diffId) => layerPath(root, diffId)),
    );
    const [merged, ...rest] = await rootDisks(store, pulled.image, 3);
    expect(rest).toEqual(image.diffIds.slice(3).map((diffId) => layerPath(root, diffId)));
    const { stdout } = await execa('fsck.erofs', ['--extract=/dev/null', merged!], { reject: false });
    expect(stdout).toBeDefined();
    const out = join(root.dir, 'out');
    await execa('fsck.erofs', [`--extract=${out}`, merged!]);
    expect((await readdir(out)).sort()).toEqual(['file0', 'file1', 'file2']);
    const before = await storeFiles(root);
    expect(await rootDisks(store, pulled.image, 3)).toEqual([merged, ...rest]);
    expect(await storeFiles(root)).toEqual(before);
  });

  test('does the work once for processes that pull the same image at once', async () => {
    const image = buildImage({ tars: [layerA, layerB, makeTar({ big: noise(2_000_000, 9) })] });
    registry.add('latest', image);
    registry.misbehave((request, response) => {
      if (!isBlob(request) || request.headers['x-delayed']) return false;
      setTimeout(() => answer(response, 200, {}, registry.blobs.get(request.url!.split('/').at(-1)!)!), 300);
      return true;
    });
    const pulls = [1, 2, 3].map(() => hrunProcess(['pull', '-q', `${registry.address}/app`]));
    await Promise.all(pulls);
    for (const layer of image.manifest.layers) {
      expect(fetchedBlobs().filter((digest) => digest === layer.digest)).toHaveLength(1);
    }
    await checkLayers(image);
  });

  test('is whole after a pull was killed at any moment, and the next pull finishes it', async () => {
    const image = buildImage({ tars: [makeTar({ big: noise(3_000_000, 5) }), layerB] });
    registry.add('latest', image);
    for (const delay of [250, 350, 450, 550, 700, 900]) {
      const child = hrunProcess(['pull', '-q', `${registry.address}/app`], { reject: false });
      await sleep(delay);
      child.kill('SIGKILL');
      await child;
      await checkStore();
    }
    expect(await pull()).toMatchObject({ exitCode: 0 });
    expect(await unfinished(root)).toEqual([]);
    await checkLayers(image);

    /** What has a final name is whole. */
    async function checkStore(): Promise<void> {
      const blobs = await readdir(join(root.images, 'blobs', 'sha256')).catch(() => []);
      for (const name of blobs) {
        const bytes = await readFile(join(root.images, 'blobs', 'sha256', name));
        expect(createHash('sha256').update(bytes).digest('hex')).toBe(name);
      }
      const layers = await readdir(root.layers).catch(() => []);
      for (const name of layers.filter((each) => each.endsWith('.erofs'))) {
        await execa('fsck.erofs', [join(root.layers, name)]);
      }
    }
  });

  test.each([
    ['garbage', async (path: string) => writeFile(path, '{"schemaVersion":2,'), 'is damaged'],
    ['empty', async (path: string) => truncate(path), 'is damaged'],
    ['a directory', async (path: string) => rm(path).then(() => mkdir(path)), 'cannot be used: EISDIR'],
  ])('says so when its index is %s', async (_, spoilIndex, message) => {
    registry.add('latest', buildImage({ tars: [layerA] }));
    await pull();
    await spoilIndex(join(root.images, 'index.json'));
    const said = await hrun('images');
    expect(said).toMatchObject({ exitCode: 1, stdout: '', stderr: expect.stringContaining(message) });
    expect(said.stderr.trim().split('\n')).toHaveLength(1);
    await rm(join(root.images, 'index.json'), { recursive: true });
    expect(await pull()).toMatchObject({ exitCode: 0 });
  });

  test('says so when a manifest is damaged, and a pull repairs it', async () => {
    const image = buildImage({ tars: [layerA] });
    registry.add('latest', image);
    await pull();
    await writeFile(blobPath(root, image.descriptor.digest), gunzipSync(gzipSync(noise(10))));
    expect(await hrun('images')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('is damaged'),
    });
    expect(await pull()).toMatchObject({ exitCode: 0 });
    expect(await hrun('images')).toMatchObject({ exitCode: 0 });
  });

  test('says so when it cannot be made', async () => {
    process.env.HRUN_ROOT = '/proc/hrun/store';
    const said = await hrun('images');
    process.env.HRUN_ROOT = root.dir;
    expect(said).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(
        /^hrun: the store cannot be used: ENOENT at \/proc\/hrun\/store; check its owner and mode/,
      ),
    });
  });
});

function spoil(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at]! ^= 0xff;
  return copy;
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)!;
}
