// SPDX-License-Identifier: Apache-2.0
// hrun system check: every kind of damage is found and mended, and a sound store is left in peace.
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Root } from '../../src/base/root.ts';
import { settingsPath } from '../../src/base/settings.ts';
import { findContainer, readState } from '../../src/container/index.ts';
import { checkStore } from '../../src/core/check-store.ts';
import { blobPath, layerPath } from '../../src/image/index.ts';
import { buildImage, makeTar, noise } from '../fixtures/built-image.ts';
import { hrun, hrunProcess } from '../fixtures/hrun.ts';
import { type MisbehavingRegistry, startMisbehavingRegistry } from '../fixtures/misbehaving-registry.ts';
import { temporaryRoot } from '../fixtures/store-root.ts';
import { TarBuilder } from '../fixtures/tar-builder.ts';

const bottom = new TarBuilder().directory('tmp', { mode: 0o1777 }).file('data', noise(20_000)).build();
const image = buildImage({ tars: [bottom, makeTar({ 'tmp/file': 'x' })] });
const other = buildImage({ tars: [makeTar({ other: 'y' })] });
const DISK = ['--storage-opt', 'size=128m', '--engine', 'qemu'];

let registry: MisbehavingRegistry;
let root: Root & AsyncDisposable;
let name: string;

beforeEach(async () => {
  [registry, root] = [
    await startMisbehavingRegistry(),
    await temporaryRoot(mkdtempSync(join(tmpdir(), 'hrun-check-'))),
  ];
  registry.add('latest', image);
  registry.add('other', other);
  name = `${registry.address}/app`;
  await done('pull', name);
});
afterEach(async () => {
  await registry[Symbol.asyncDispose]();
  await root[Symbol.asyncDispose]();
  rmSync(join(root.dir, '..'), { recursive: true });
});

async function done(...argv: string[]): Promise<void> {
  expect(await hrun(...argv)).toMatchObject({ exitCode: 0 });
}

async function create(called: string): Promise<string> {
  await done('create', '--name', called, ...DISK, name, 'x');
  return join(root.containers, findContainer(root, called));
}

/** Changes one bit in the middle. */
function flip(path: string): void {
  const bytes = readFileSync(path);
  bytes[bytes.length >> 1]! ^= 1;
  writeFileSync(path, bytes);
}

/** Finds it, mends it, and finds nothing more. */
async function mends(what: RegExp): Promise<void> {
  const found = await hrun('system', 'check');
  expect(found.stdout).toMatch(what);
  expect(found.exitCode).toBe(found.stdout.includes('DAMAGED') ? 1 : 0);
  expect(await hrun('system', 'check', '--repair')).toMatchObject({ exitCode: 0 });
  await isSound();
}

async function isSound(): Promise<void> {
  expect(await checkStore(root, { repair: false, quick: false })).toEqual({ findings: [], damaged: false });
}

const layer = () => layerPath(root, image.diffIds[0]!);
const layerBlob = () => blobPath(root, image.manifest.layers[0]!.digest);

describe('images', () => {
  test('a sound store gives no finding, and is not changed', async () => {
    await create('web');
    await isSound();
    expect(await hrun('system', 'check', '--quick', '--repair')).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: '',
    });
  });

  test.each([
    ['a flipped bit', () => flip(layer())],
    ['a lost end', () => truncateSync(layer(), 4096)],
    ['nothing in it', () => truncateSync(layer(), 0)],
  ])('a layer with %s is made again', async (_, damage) => {
    const before = readFileSync(layer());
    damage();
    await mends(/^DAMAGED .*\.erofs is not what its blob unpacks to/);
    expect(readFileSync(layer()).equals(before)).toBe(true);
  });

  test('a layer that is not there is made, which is no damage', async () => {
    unlinkSync(layer());
    await mends(/^note .*is not made yet/);
    expect(existsSync(layer())).toBe(true);
  });

  test('a quick look finds sizes and missing files', async () => {
    truncateSync(layer(), 4096);
    expect(await hrun('system', 'check', '--quick')).toMatchObject({ exitCode: 1 });
    expect(await hrun('system', 'check', '--quick', '--repair')).toMatchObject({ exitCode: 0 });
    await isSound();
  });

  test.each([
    ['a flipped bit', () => flip(layerBlob())],
    ['a lost end', () => truncateSync(layerBlob(), 10)],
    ['no file', () => unlinkSync(layerBlob())],
  ])('a blob with %s makes the image incomplete, and a pull mends it', async (_, damage) => {
    damage();
    expect(await hrun('system', 'check')).toMatchObject({ exitCode: 1 });
    const repaired = await hrun('system', 'check', '--repair');
    expect(repaired).toMatchObject({ exitCode: 1 });
    expect(repaired.stdout).toMatch(/DAMAGED image .*app:latest is incomplete: .*pull or load it again/);
    await done('pull', name);
    await isSound();
  });

  test.each([
    ['manifest', () => flip(blobPath(root, image.descriptor.digest))],
    ['config', () => unlinkSync(blobPath(root, image.manifest.config.digest))],
  ])('an image whose %s is damaged loses its names, so that others can be listed', async (_, damage) => {
    await done('pull', `${name}:other`);
    damage();
    expect(await hrun('images')).toMatchObject({ exitCode: 1 });
    const { stdout } = await hrun('system', 'check', '--repair');
    expect(stdout).toMatch(/^mended .*app:latest.*pull it again/m);
    expect((await hrun('images', '-q')).stdout).toBe(`${other.manifest.config.digest.slice(7, 19)}\n`);
    await done('pull', name);
    await isSound();
  });

  test.each(['', '{"schemaVersion":2,', '{"schemaVersion":2,"manifests":[{}]}'])(
    'an index.json of %j is put aside and its images are kept without names',
    async (content) => {
      writeFileSync(join(root.images, 'index.json'), content);
      await mends(/^DAMAGED .*index.json is damaged/);
      expect(readFileSync(join(root.images, 'index.json.damaged'), 'utf8')).toBe(content);
      const id = image.manifest.config.digest.slice(7, 19);
      expect((await hrun('images', '-q')).stdout).toBe(`${id}\n`);
      await done('tag', id, 'again');
    },
  );

  test('an oci-layout with something else in it is written again', async () => {
    flip(join(root.images, 'oci-layout'));
    await mends(/^DAMAGED .*oci-layout/);
  });

  test('a top layer is made again in its place, for stopped containers have it as a disk', async () => {
    await create('web');
    const top = readdirSync(root.layers).find((file) => /^top-.*erofs$/.test(file))!;
    const before = readFileSync(join(root.layers, top));
    flip(join(root.layers, top));
    await mends(/^DAMAGED .*top-.*is not what its layers need on top/);
    expect(readFileSync(join(root.layers, top)).equals(before)).toBe(true);
  });

  test('what dead commands left is named and removed, what nobody needs is only named', async () => {
    writeFileSync(join(root.tmp, 'left'), 'x');
    await mends(/^note .*left was left by a command that was killed/);
    writeFileSync(blobPath(root, `sha256:${'b'.repeat(64)}`), 'x');
    const { exitCode, stdout } = await hrun('system', 'check', '--repair');
    expect(stdout).toMatch(/^note .*bbb is needed by no image \(1 bytes\)/);
    expect(exitCode).toBe(0);
  });

  test('a link that leads to no blob leads to the one that is there again', async () => {
    const link = layer().replace(/\.v\d+\.erofs/, '.blob');
    unlinkSync(link);
    symlinkSync(`../images/blobs/sha256/${'0'.repeat(64)}`, link);
    await mends(/^note .*\.blob leads to no blob/);
  });
});

describe('containers', () => {
  test('a damaged state is written anew; the container and its disk stay', async () => {
    const directory = await create('web');
    writeFileSync(join(directory, 'state.json'), '{');
    await done('ps', '-a');
    await mends(/^DAMAGED container .* state.json is damaged/);
    expect(readState(directory)).toMatchObject({ status: 'exited', exitCode: 255 });
    expect(existsSync(join(directory, 'writable.ext4'))).toBe(true);
  });

  test('one with a damaged config is moved aside with its disk', async () => {
    const directory = await create('web');
    writeFileSync(settingsPath(directory, 'config.json'), '');
    await mends(/^DAMAGED container .* config.json is missing or damaged/);
    const [aside] = readdirSync(join(root.dir, 'damaged'));
    expect(readdirSync(join(root.dir, 'damaged', aside!))).toContain('writable.ext4');
    await create('web');
  });

  test('one with a damaged vm.json is reported and left', async () => {
    const directory = await create('web');
    writeFileSync(settingsPath(directory, 'vm.json'), '{');
    const { exitCode, stdout } = await hrun('system', 'check', '--repair');
    expect(stdout).toMatch(/vm.json is missing or damaged: it cannot be started .*writable.ext4/);
    expect(exitCode).toBe(1);
    expect(existsSync(directory)).toBe(true);
  });

  test('a lost name is given back, one of nobody is freed', async () => {
    await create('web');
    unlinkSync(join(root.containers, 'names', 'web'));
    symlinkSync('a'.repeat(64), join(root.containers, 'names', 'gone'));
    await mends(/^note .*gone names a container that is gone.*DAMAGED .*its name web does not lead to it/ms);
    expect(findContainer(root, 'web')).toMatch(/^[0-9a-f]{64}$/);
    expect(readdirSync(join(root.containers, 'names'))).toEqual(['web']);
  });

  test('a directory that others can enter is closed', async () => {
    chmodSync(await create('web'), 0o755);
    chmodSync(root.tmp, 0o777);
    await mends(/mode 777 lets other users in.*mode 755 lets other users in/s);
  });
});

/** rmi leaves the files when somebody has the store open, as the check has. */
const UNNEEDED = /^note .*needed by no image/;

test('a store at work gives no finding', { timeout: 180_000 }, async () => {
  const rounds = async (work: (round: number) => Promise<void>) => {
    for (let round = 0; round < 4; round++) await work(round);
  };
  const process = async (...argv: string[]) => void (await hrunProcess(argv));
  let busy = true;
  const work = Promise.all([
    rounds(async () => {
      await process('pull', `${name}:other`);
      await process('rmi', `${name}:other`);
    }),
    rounds(async (round) => {
      await process('create', '--name', `a${round}`, ...DISK, name, 'x');
      await process('rename', `a${round}`, `b${round}`);
      await process('rm', `b${round}`);
    }),
    rounds(async (round) => await process('tag', name, `tag:${round}`)),
  ]).finally(() => {
    busy = false;
  });
  const found: string[] = [];
  for (let round = 0; busy; round++) {
    const { stdout } = await hrun('system', 'check', ...(round % 2 ? ['--quick'] : []));
    found.push(...stdout.split('\n').filter((line) => line !== '' && !UNNEEDED.test(line)));
  }
  await work;
  expect(found).toEqual([]);
  await done('image', 'prune', '-f');
  await isSound();
});
