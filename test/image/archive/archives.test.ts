// SPDX-License-Identifier: Apache-2.0
// Archives from and for other tools: docker-archive, oci-archive, OCI layouts; packed, piped, old and broken.
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { digestOf } from '../../../src/base/digest.ts';
import type { Root } from '../../../src/base/root.ts';
import { type BuiltImage, buildImage, makeTar, noise } from '../../fixtures/built-image.ts';
import { hrun, hrunProcess } from '../../fixtures/hrun.ts';
import { temporaryRoot, unfinished } from '../../fixtures/store-root.ts';

let dir: string;
let root: Root & AsyncDisposable;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hrun-archive-'));
  root = await temporaryRoot();
});
afterEach(async () => {
  await root[Symbol.asyncDispose]();
  await rm(dir, { recursive: true });
});

const tars = [makeTar({ a: 'a', data: noise(50_000) }), makeTar({ b: 'b' })];
const image = buildImage({ tars });

function idOf(built: BuiltImage): string {
  return built.manifest.config.digest;
}

/** As `docker save` writes it. */
function dockerArchive(built = image, names: string[] | null = ['app:1', 'reg.test/app:2']): Buffer {
  const layers = Object.fromEntries(tars.map((tar, index) => [`layer${index}/layer.tar`, tar]));
  const manifest = [{ Config: 'config.json', RepoTags: names, Layers: Object.keys(layers) }];
  return makeTar({ ...layers, 'config.json': built.configBytes, 'manifest.json': JSON.stringify(manifest) });
}

async function ociLayout(
  path: string,
  built = image,
  annotations: Record<string, string> = {},
): Promise<void> {
  await mkdir(join(path, 'blobs', 'sha256'), { recursive: true });
  for (const [digest, bytes] of [...built.blobs, [built.descriptor.digest, built.manifestBytes] as const]) {
    await writeFile(join(path, 'blobs', 'sha256', digest.slice(7)), bytes);
  }
  const index = { schemaVersion: 2, manifests: [{ ...built.descriptor, annotations }] };
  await writeFile(join(path, 'index.json'), JSON.stringify(index));
  await writeFile(join(path, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
}

async function file(name: string, bytes: Buffer): Promise<string> {
  await writeFile(join(dir, name), bytes);
  return join(dir, name);
}

async function imageIds(): Promise<string[]> {
  const { stdout } = await hrun('images', '-q', '--no-trunc');
  return stdout.trim().split('\n').filter(Boolean);
}

describe('load', () => {
  const both = 'Loaded image: app:1\nLoaded image: reg.test/app:2\n';

  test.each([
    ['plain', (tar: Buffer) => tar],
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
  ])('takes a docker-archive, %s, from a file', async (_, pack) => {
    const path = await file('x.tar', pack(dockerArchive()));
    expect(await hrun('load', '-i', path)).toEqual({ exitCode: 0, stdout: both, stderr: '' });
    expect(await imageIds()).toEqual([idOf(image)]);
    expect(await unfinished(root)).toEqual([]);
  });

  test('takes it from a pipe, packed or not, and from a redirected file', async () => {
    for (const pack of [(tar: Buffer) => tar, gzipSync]) {
      const said = await hrunProcess(['load'], { input: pack(dockerArchive()) });
      expect(`${said.stdout}\n`).toBe(both);
    }
    const path = await file('x.tar', dockerArchive());
    expect((await hrunProcess(['load'], { inputFile: path })).exitCode).toBe(0);
    const shell = await execa('sh', ['-c', '"$0" src/cli/main.ts load < "$1"', process.execPath, path]);
    expect(`${shell.stdout}\n`).toBe(both);
    expect(await unfinished(root)).toEqual([]);
  });

  test('takes an image without a name, and says its ID', async () => {
    const path = await file('x.tar', dockerArchive(image, null));
    expect((await hrun('load', '-i', path)).stdout).toBe(`Loaded image ID: ${idOf(image)}\n`);
    expect((await hrun('images', '--format', '{{.Repository}}:{{.Tag}}')).stdout).toBe('<none>:<none>\n');
  });

  test('takes layers that are links to layers elsewhere in the archive', async () => {
    const made = join(dir, 'in');
    await mkdir(join(made, 'one'), { recursive: true });
    await mkdir(join(made, 'two'));
    await writeFile(join(made, 'one', 'layer.tar'), tars[0]!);
    await symlink('../one/layer.tar', join(made, 'two', 'layer.tar'));
    const twice = buildImage({ tars: [tars[0]!, tars[0]!] });
    await writeFile(join(made, 'c.json'), twice.configBytes);
    const manifest = [
      { Config: 'c.json', RepoTags: ['twice:1'], Layers: ['one/layer.tar', 'two/layer.tar'] },
    ];
    await writeFile(join(made, 'manifest.json'), JSON.stringify(manifest));
    await execa('tar', ['-C', made, '-cf', join(dir, 'x.tar'), '.']);
    expect((await hrun('load', '-i', join(dir, 'x.tar'))).stdout).toBe('Loaded image: twice:1\n');
    expect(await imageIds()).toEqual([idOf(twice)]);
  });

  test('takes an archive of Docker before 1.10', async () => {
    const [low, top] = ['1'.repeat(64), '2'.repeat(64)];
    const archive = makeTar({
      repositories: JSON.stringify({ 'old/app': { v1: top } }),
      [`${low}/json`]: JSON.stringify({ id: low, os: 'linux', created: '2014-01-02T03:04:05Z' }),
      [`${low}/layer.tar`]: tars[0]!,
      [`${top}/json`]: JSON.stringify({
        id: top,
        parent: low,
        config: { Cmd: ['/bin/old'] },
        architecture: 'amd64',
      }),
      [`${top}/layer.tar`]: tars[1]!,
    });
    expect((await hrun('load', '-i', await file('x.tar', archive))).stdout).toBe(
      'Loaded image: old/app:v1\n',
    );
    expect(
      (await hrun('inspect', '-f', '{{json .RootFS.Layers}} {{.Config.Cmd}}', 'old/app:v1')).stdout,
    ).toBe(`${JSON.stringify(tars.map((tar) => digestOf(tar)))} [/bin/old]\n`);
  });

  test.each([
    ['the full name', { 'org.opencontainers.image.ref.name': 'reg.test/app:3' }, 'reg.test/app:3'],
    [
      "containerd's name",
      { 'io.containerd.image.name': 'docker.io/library/x:1', 'org.opencontainers.image.ref.name': '1' },
      'x:1',
    ],
  ])('takes an OCI layout with %s, as directory and as tar', async (_, annotations, name) => {
    await ociLayout(join(dir, 'layout'), image, annotations);
    expect((await hrun('load', '-i', join(dir, 'layout'))).stdout).toBe(`Loaded image: ${name}\n`);
    await execa('tar', ['-C', join(dir, 'layout'), '-cf', join(dir, 'x.tar'), '.']);
    expect((await hrun('load', '-i', join(dir, 'x.tar'))).stdout).toBe(`Loaded image: ${name}\n`);
    expect(await imageIds()).toEqual([idOf(image)]);
  });

  test('takes what podman saved', async () => {
    await ociLayout(join(dir, 'layout'), image, { 'org.opencontainers.image.ref.name': 'x' });
    const copy = ['--insecure-policy', 'copy', '--quiet', `oci:${join(dir, 'layout')}:x`];
    await execa('skopeo', [...copy, `docker-archive:${join(dir, 'd.tar')}:reg.test/app:9`]);
    await execa('skopeo', [...copy, `oci-archive:${join(dir, 'o.tar')}:reg.test/app:8`]);
    expect((await hrun('load', '-i', join(dir, 'd.tar'))).stdout).toBe('Loaded image: reg.test/app:9\n');
    expect((await hrun('load', '-i', join(dir, 'o.tar'))).stdout).toBe('Loaded image: reg.test/app:8\n');
    expect(await imageIds()).toEqual([idOf(image), idOf(image)].slice(0, 1));
  });

  test.each([
    ['a missing file', async () => join(dir, 'none'), /no such file or directory/],
    ['no tar', () => file('x', noise(4000)), /not an image archive: it is not a tar/],
    ['an empty file', () => file('x', Buffer.alloc(0)), /not an image archive/],
    [
      'a tar of something else',
      () => file('x', makeTar({ a: 'b' })),
      /neither manifest\.json .* nor index\.json/,
    ],
    [
      'an archive cut short',
      () => file('x', dockerArchive().subarray(0, 30_000)),
      /ends in the middle of layer0/,
    ],
    [
      'a packed archive cut short',
      () => file('x', gzipSync(dockerArchive()).subarray(0, 20_000)),
      /is damaged/,
    ],
    [
      'a manifest of another shape',
      () => file('x', makeTar({ 'manifest.json': '[{"Config":7}]' })),
      /manifest\.json is malformed/,
    ],
    [
      'a missing layer',
      () =>
        file(
          'x',
          makeTar({
            'manifest.json': '[{"Config":"c","Layers":["../../etc/passwd","/etc/passwd"]}]',
            c: image.configBytes,
          }),
        ),
      /lacks the layer/,
    ],
  ])('refuses %s in one line', async (_, make, message) => {
    const said = await hrun('load', '-i', await make());
    expect(said).toMatchObject({ exitCode: 1, stdout: '', stderr: expect.stringMatching(message) });
    expect(said.stderr.trim().split('\n')).toHaveLength(1);
    expect(await imageIds()).toEqual([]);
    expect(await unfinished(root)).toEqual([]);
  });

  test('refuses a layer that is not what the config says', async () => {
    const other = buildImage({ tars: [tars[0]!, makeTar({ c: 'c' })] });
    const said = await hrun('load', '-i', await file('x.tar', dockerArchive(other)));
    expect(said).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/unpacks to sha256:/) });
    expect(await imageIds()).toEqual([]);
  });
});

describe('save', () => {
  test.each(['docker-archive', 'oci-archive'])(
    'writes a %s that hrun loads again, the same twice',
    async (format) => {
      await hrun('load', '-i', await file('x.tar', dockerArchive()));
      const [one, two] = [join(dir, '1.tar'), join(dir, '2.tar')];
      expect(await hrun('save', '--format', format, '-o', one, 'app:1', 'reg.test/app:2')).toMatchObject({
        exitCode: 0,
      });
      await hrun('rmi', '-f', idOf(image));
      expect(await imageIds()).toEqual([]);
      expect((await hrun('load', '-i', one)).stdout).toBe(
        'Loaded image: app:1\nLoaded image: reg.test/app:2\n',
      );
      expect(await imageIds()).toEqual([idOf(image)]);
      await hrun('save', '--format', format, '-o', two, 'app:1', 'reg.test/app:2');
      expect((await readFile(two)).equals(await readFile(one))).toBe(true);
    },
  );

  test('keeps the very manifest that came in, packed layers unpacked only for docker-archive', async () => {
    await ociLayout(join(dir, 'layout'), image, { 'org.opencontainers.image.ref.name': 'app:1' });
    await hrun('load', '-i', join(dir, 'layout'));
    await hrun('save', '--format', 'oci-archive', '-o', join(dir, 'o.tar'), 'app:1');
    const index = await execa('tar', ['-xOf', join(dir, 'o.tar'), 'index.json']);
    expect(JSON.parse(index.stdout).manifests[0].digest).toBe(image.descriptor.digest);
    await hrun('save', '-o', join(dir, 'd.tar'), 'app:1');
    const layer = await execa('tar', ['-xOf', join(dir, 'd.tar'), `${image.diffIds[0]!.slice(7)}.tar`], {
      encoding: 'buffer',
    });
    expect(Buffer.from(layer.stdout).equals(tars[0]!)).toBe(true);
  });

  test.each([
    ['docker-archive', 'docker-archive'],
    ['oci-archive', 'oci-archive'],
  ])('writes a %s that skopeo and podman read', async (format, transport) => {
    await ociLayout(join(dir, 'layout'), image, { 'org.opencontainers.image.ref.name': 'reg.test/app:1' });
    await hrun('load', '-i', join(dir, 'layout'));
    const path = join(dir, 'saved.tar');
    await hrun('save', '--format', format, '-o', path, 'reg.test/app:1');
    const { stdout } = await execa('skopeo', ['inspect', '--config', `${transport}:${path}`]);
    expect(JSON.parse(stdout).rootfs.diff_ids).toEqual(image.diffIds);
    const storage = ['--root', join(dir, 'podman'), '--runroot', join(dir, 'run'), '--storage-driver', 'vfs'];
    const loaded = await execa('podman', [...storage, 'load', '-i', path]);
    expect(loaded.stdout).toContain('reg.test/app:1');
    const ids = await execa('podman', [...storage, 'images', '-q', '--no-trunc']);
    expect(ids.stdout).toBe(idOf(image));
  });

  test('writes to standard output, several images at once', async () => {
    await hrun('load', '-i', await file('x.tar', dockerArchive(image, ['one:1'])));
    const other = buildImage({ tars: [makeTar({ z: 'z' })] });
    await ociLayout(join(dir, 'layout'), other, { 'org.opencontainers.image.ref.name': 'two:2' });
    await hrun('load', '-i', join(dir, 'layout'));
    const saved = await hrunProcess(['save', 'one:1', 'two:2'], { encoding: 'buffer' });
    await hrun('rmi', 'one:1', 'two:2');
    const path = await file('both.tar', Buffer.from(saved.stdout as Uint8Array));
    expect((await hrun('load', '-i', path)).stdout).toBe('Loaded image: one:1\nLoaded image: two:2\n');
  });

  test('of no such image writes nothing', async () => {
    const said = await hrun('save', '-o', join(dir, 'none.tar'), 'nope');
    expect(said).toMatchObject({ exitCode: 1, stderr: 'hrun: no such image: nope; see: hrun images\n' });
    await expect(readFile(join(dir, 'none.tar'))).rejects.toThrow(/ENOENT/);
  });
});
