// SPDX-License-Identifier: Apache-2.0
// The image commands as a person types them: what they print and how they end.
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Root } from '../../src/base/root.ts';
import { settingsPath } from '../../src/base/settings.ts';
import { type BuiltImage, buildImage, makeTar, noise } from '../fixtures/built-image.ts';
import { hrun } from '../fixtures/hrun.ts';
import { temporaryRoot } from '../fixtures/store-root.ts';

let dir: string;
let root: Root & AsyncDisposable;

const shared = makeTar({ shared: noise(20_000, 3) });
const old = buildImage({
  tars: [shared],
  config: {
    created: '2020-01-01T00:00:00Z',
    config: { Labels: { team: 'red', 'a.b': 'c' }, Cmd: ['sh', '-c', 'x'] },
  },
});
const young = buildImage({
  tars: [shared, makeTar({ own: 'y' })],
  config: { created: '2023-01-01T00:00:00Z' },
});

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hrun-cli-'));
  root = await temporaryRoot();
  await load(old, ['old:1', 'reg.test:5000/team/old:2']);
  await load(young, ['young:latest']);
});
afterEach(async () => {
  await root[Symbol.asyncDispose]();
  await rm(dir, { recursive: true });
});

async function load(image: BuiltImage, names: string[]): Promise<void> {
  const layers = Object.fromEntries([...image.blobs].slice(1).map(([digest, blob]) => [digest, blob]));
  const manifest = [{ Config: 'c', RepoTags: names, Layers: Object.keys(layers) }];
  const path = join(dir, 'load.tar');
  await writeFile(
    path,
    makeTar({ c: image.configBytes, ...layers, 'manifest.json': JSON.stringify(manifest) }),
  );
  expect(await hrun('load', '-i', path)).toMatchObject({ exitCode: 0 });
}

function idOf(image: BuiltImage): string {
  return image.manifest.config.digest;
}

const short = (image: BuiltImage) => idOf(image).slice(7, 19);

/** A container's directory as far as images are concerned (docs/store.md). */
async function addContainer(imageDigest: string, status: string): Promise<string> {
  const id = 'c'.repeat(64);
  await mkdir(settingsPath(join(root.containers, id)), { recursive: true });
  await writeFile(settingsPath(join(root.containers, id), 'config.json'), JSON.stringify({ imageDigest }));
  await writeFile(join(root.containers, id, 'state.json'), JSON.stringify({ status }));
  return id;
}

async function manifestOf(name: string): Promise<string> {
  return (await hrun('inspect', '-f', '{{.Descriptor.digest}}', name)).stdout.trim();
}

describe('images', () => {
  test('lists each name, newest image first', async () => {
    const { stdout } = await hrun('images');
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^REPOSITORY {2,}TAG {2,}IMAGE ID {2,}CREATED {2,}SIZE$/);
    expect(lines.slice(1).map((line) => line.split(/ {2,}/).slice(0, 3))).toEqual([
      ['young', 'latest', short(young)],
      ['old', '1', short(old)],
      ['reg.test:5000/team/old', '2', short(old)],
    ]);
    expect(lines[2]).toMatch(/\d+ years ago {2,}\d+(?:\.\d+)?kB$/);
  });

  test.each([
    [['-q'], () => `${short(young)}\n${short(old)}\n`],
    [['-q', '--no-trunc', 'young'], () => `${idOf(young)}\n`],
    [['--format', '{{.Repository}}:{{.Tag}}', 'old'], () => 'old:1\n'],
    [['--format', '{{.Repository}}:{{.Tag}}', 'old:2'], () => ''],
    [['--format', '{{.Tag}}', '--filter', 'reference=reg.test:5000/*/old'], () => '2\n'],
    [['--format', '{{.Tag}}', '--filter', 'reference=ol?'], () => '1\n'],
    [['--format', '{{.Tag}}', '--filter', 'reference=*/*'], () => ''],
    [['-q', '-f', 'label=team=red'], () => `${short(old)}\n`],
    [['-q', '-f', 'label=team', '-f', 'label=nope'], () => ''],
    [['-q', '-f', 'before=young'], () => `${short(old)}\n`],
    [['-q', '-f', 'since=old:1'], () => `${short(young)}\n`],
    [['-q', '-f', 'dangling=true'], () => ''],
  ])('%j', async (options, expected) => {
    expect(await hrun('images', ...options)).toEqual({ exitCode: 0, stdout: expected(), stderr: '' });
  });

  test("says when an image was made in Docker's words, in a column that has Docker's heading", async () => {
    const { stdout } = await hrun('images', '--format', 'table {{.ID}}\\t{{.CreatedAt}}', 'young');
    expect(stdout).toMatch(
      /^IMAGE ID {7}CREATED AT\n[0-9a-f]{12} {3}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000 UTC\n$/,
    );
  });

  test('gives JSON with the field names of docker', async () => {
    const { stdout } = await hrun('images', '--format', 'json', 'young');
    expect(Object.keys(JSON.parse(stdout)).sort()).toEqual([
      'Containers',
      'CreatedAt',
      'CreatedSince',
      'Digest',
      'ID',
      'Repository',
      'SharedSize',
      'Size',
      'Tag',
      'UniqueSize',
    ]);
  });

  test('refuses a filter that it does not know', async () => {
    expect(await hrun('images', '-f', 'nope=1')).toMatchObject({ exitCode: 125, stdout: '' });
  });
});

describe('tag', () => {
  test('adds a name, or takes it from another image', async () => {
    expect(await hrun('tag', short(old), 'other/name')).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    expect((await hrun('inspect', '-f', '{{.Id}}', 'other/name:latest')).stdout).toBe(`${idOf(old)}\n`);
    await hrun('tag', 'young', 'other/name');
    expect((await hrun('inspect', '-f', '{{.Id}}', 'other/name:latest')).stdout).toBe(`${idOf(young)}\n`);
  });

  test('that takes the last name leaves the image without one', async () => {
    await hrun('tag', 'old:1', 'young');
    expect((await hrun('images', '-q', '-f', 'dangling=true')).stdout).toBe(`${short(young)}\n`);
    expect(await hrun('rmi', short(young))).toMatchObject({
      exitCode: 0,
      stdout: `Deleted: ${idOf(young)}\n`,
    });
  });

  test.each(['UPPER', 'a:b:c', `a@sha256:${'0'.repeat(64)}`])('refuses the name %s', async (name) => {
    expect(await hrun('tag', 'old:1', name)).toMatchObject({ exitCode: 1, stdout: '' });
  });
});

describe('rmi', () => {
  test('takes a name away, the last with the image and the layers that nobody else needs', async () => {
    expect((await hrun('rmi', 'old:1')).stdout).toBe('Untagged: old:1\n');
    const layers = async () => (await readdir(root.layers)).filter((name) => name.endsWith('.erofs')).length;
    expect(await layers()).toBe(2);
    expect((await hrun('rmi', 'young')).stdout).toBe(`Untagged: young:latest\nDeleted: ${idOf(young)}\n`);
    expect(await layers()).toBe(1);
    expect((await hrun('rmi', 'reg.test:5000/team/old:2')).stdout).toBe(
      `Untagged: reg.test:5000/team/old:2\nDeleted: ${idOf(old)}\n`,
    );
    expect(await readdir(root.layers)).toEqual([]);
    expect(await readdir(join(root.images, 'blobs', 'sha256'))).toEqual([]);
  });

  test('by ID wants force when names of several repositories go', async () => {
    const refused = await hrun('rmi', short(old));
    expect(refused).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('names in 2 repositories'),
    });
    expect((await hrun('rmi', '-f', short(old))).stdout).toContain(`Deleted: ${idOf(old)}`);
  });

  test('removes what it can and names what it cannot', async () => {
    const said = await hrun('rmi', 'nope', 'young');
    expect(said).toEqual({
      exitCode: 1,
      stdout: `Untagged: young:latest\nDeleted: ${idOf(young)}\n`,
      stderr: 'hrun: no such image: nope; see: hrun images\n',
    });
  });

  test('refuses while a container runs on the image, even with force', async () => {
    await addContainer(await manifestOf('young'), 'running');
    for (const force of [[], ['-f']]) {
      const said = await hrun('rmi', ...force, 'young');
      expect(said).toMatchObject({
        exitCode: 1,
        stderr: expect.stringMatching(/used by the running container cccccccccccc/),
      });
    }
    expect((await hrun('images', '-q', 'young')).stdout).toBe(`${short(young)}\n`);
  });

  test('lets a stopped container keep the files of an image that is forced away', async () => {
    const id = await addContainer(await manifestOf('young'), 'exited');
    expect((await hrun('rmi', 'young')).stderr).toMatch(/used by the stopped container/);
    expect(await hrun('rmi', '-f', 'young')).toMatchObject({ exitCode: 0 });
    await hrun('rmi', '-f', short(old));
    expect((await readdir(root.layers)).filter((name) => name.endsWith('.erofs'))).toHaveLength(2);
    await rm(join(root.containers, id), { recursive: true });
    await load(old, ['x']);
    await hrun('rmi', 'x');
    expect(await readdir(root.layers)).toEqual([]);
  });
});

describe('inspect', () => {
  test('shows what docker shows', async () => {
    const { stdout, exitCode } = await hrun('inspect', 'old:1');
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject([
      {
        Id: idOf(old),
        RepoTags: ['old:1', 'reg.test:5000/team/old:2'],
        RepoDigests: [],
        Created: '2020-01-01T00:00:00Z',
        Architecture: 'amd64',
        Os: 'linux',
        Config: { Cmd: ['sh', '-c', 'x'], Labels: { team: 'red' }, Entrypoint: null },
        RootFS: { Type: 'layers', Layers: old.diffIds },
      },
    ]);
  });

  test('finds by ID, by part of it, by digest; and says what it does not find', async () => {
    const digest = await manifestOf('young');
    for (const name of [idOf(young), idOf(young).slice(7), short(young), idOf(young).slice(7, 11), digest]) {
      expect((await hrun('inspect', '-f', '{{.Id}}', name)).stdout).toBe(`${idOf(young)}\n`);
    }
    expect(await hrun('inspect', 'nope')).toMatchObject({
      exitCode: 1,
      stdout: '[]\n',
      stderr: 'hrun: no container, image, volume or network is called nope; see: hrun ps -a, hrun images\n',
    });
  });
});

describe('history', () => {
  test('shows the steps, the newest first', async () => {
    const { stdout } = await hrun('history', 'young');
    const rows = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/ {2,}/));
    expect(rows[0]).toEqual(['IMAGE', 'CREATED', 'CREATED BY', 'SIZE', 'COMMENT']);
    expect(rows.slice(1).map(([id, , by]) => [id, by])).toEqual([
      [short(young), 'step 2'],
      ['<missing>', 'step 1'],
    ]);
  });

  test('gives IDs alone, or a template', async () => {
    expect((await hrun('history', '-q', '--no-trunc', 'young')).stdout).toBe(`${idOf(young)}\n<missing>\n`);
    expect((await hrun('history', '--format', '{{.CreatedBy}}', '-H=false', 'old:1')).stdout).toBe(
      'step 1\n',
    );
  });
});
