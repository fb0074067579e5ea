// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Root, rootAt } from '../../src/base/root.ts';
import { settingsPath } from '../../src/base/settings.ts';
import { CREATED } from '../../src/container/container-state.ts';
import { newContainerId } from '../../src/container/index.ts';
import { guestMounts } from '../../src/core/guest-mounts.ts';
import { parseVolumeOptions } from '../../src/core/volume-options.ts';
import {
  createNamedVolume,
  inspectVolume,
  pruneVolumes,
  removeTiedVolumes,
  removeVolumeCalled,
  tieVolumes,
} from '../../src/core/volumes.ts';

let root: Root;

beforeEach(() => {
  root = rootAt(mkdtempSync(join(tmpdir(), 'hrun-volumes-')));
});
afterEach(() => rmSync(root.dir, { recursive: true, force: true }));

const NO_FILTERS = { until: undefined, labels: [], withoutLabels: [] };

function volume(name?: string, labels = {}): Promise<string> {
  return createNamedVolume(root, { name, labels, options: {} });
}

/** A stopped container that mounts these volumes. */
function container(...names: string[]): string {
  const id = newContainerId();
  const directory = join(root.containers, id);
  mkdirSync(settingsPath(directory), { recursive: true });
  const mounts = names.map((name) => ({ ...bind('/data'), type: 'volume', name }));
  writeFileSync(
    settingsPath(directory, 'config.json'),
    JSON.stringify({ version: 1, id, name: 'box', mounts }),
  );
  writeFileSync(join(directory, 'state.json'), JSON.stringify(CREATED));
  return id;
}

function bind(target: string, more: object = {}) {
  const plain = {
    name: '',
    readOnly: false,
    mode: '',
    copy: false,
    createSource: false,
    disk: false,
    options: '',
  };
  return { type: 'bind' as const, source: `/host${target}`, target, ...plain, ...more };
}

function volumes(): string[] {
  return readdirSync(root.volumes).filter((name) => !name.startsWith('.'));
}

describe('a volume that a container has', () => {
  test('cannot be removed or pruned, and can when the container is gone', async () => {
    await volume('data');
    const id = container('data');
    const refused = removeVolumeCalled(root, 'data', { force: true });
    await expect(refused).rejects.toThrow(`remove data: volume is in use - [${id}]`);
    expect((await pruneVolumes(root, NO_FILTERS, { all: true })).removed).toEqual([]);
    rmSync(join(root.containers, id), { recursive: true });
    await removeVolumeCalled(root, 'data', { force: false });
    expect(volumes()).toEqual([]);
  });

  test('and has no name goes with it, but not while another has it', async () => {
    const name = await volume();
    await volume('named');
    const [id, other] = [container(name, 'named'), container(name)];
    await tieVolumes(root, id);
    await removeTiedVolumes(root);
    expect(volumes()).toHaveLength(2);
    rmSync(join(root.containers, id), { recursive: true });
    await removeTiedVolumes(root);
    expect(volumes()).toHaveLength(2);
    rmSync(join(root.containers, other), { recursive: true });
    await removeTiedVolumes(root);
    expect(volumes()).toEqual(['named']);
  });
});

describe('hrun volume', () => {
  test('prune takes those without a name, with -a all, by their labels', async () => {
    const anonymous = await volume();
    await volume('kept', { keep: 'yes' });
    await volume('gone');
    expect((await pruneVolumes(root, NO_FILTERS, { all: false })).removed).toEqual([anonymous]);
    const filters = { ...NO_FILTERS, withoutLabels: ['keep'] };
    expect((await pruneVolumes(root, filters, { all: true })).removed).toEqual(['gone']);
    expect(volumes()).toEqual(['kept']);
  });

  test('rm knows what is not there, and does not mind with -f', async () => {
    await expect(removeVolumeCalled(root, 'none', { force: false })).rejects.toThrow(
      'get none: no such volume',
    );
    await removeVolumeCalled(root, 'none', { force: true });
  });

  test('inspect has the shape of Docker', async () => {
    await volume('data', { a: 'b' });
    expect(inspectVolume(root, 'data')).toMatchObject({
      ...{ Driver: 'local', Labels: { a: 'b' }, Name: 'data', Options: null, Scope: 'local' },
      Mountpoint: join(root.volumes, 'data/_data'),
    });
  });

  test('create takes a size, and nothing that it does not know', () => {
    expect(parseVolumeOptions({})).toBeUndefined();
    expect(parseVolumeOptions({ type: 'ext4', size: '1g' })).toBe(1024 ** 3);
    expect(() => parseVolumeOptions({ type: 'ext4' })).toThrow('needs a size');
    expect(() => parseVolumeOptions({ type: 'nfs' })).toThrow('invalid option');
    expect(() => parseVolumeOptions({ size: '1k' })).toThrow('size=1k is not the size of a volume');
  });
});

describe('the mounts of a VM', () => {
  test('are made from the outside in, each from its device', () => {
    const disk = { type: 'volume', disk: true, source: '/disk', copy: true };
    const guest = guestMounts(
      [bind('/a/b/c', { readOnly: true }), bind('/d', disk), bind('/e', { ...disk, readOnly: true })],
      [{ target: '/a/b', options: 'exec' }],
    );
    expect(guest.mounts).toEqual([
      { type: 'disk', source: '17', target: '/d', options: 'rw,copy' },
      { type: 'disk', source: '17', target: '/e', options: 'ro' },
      { type: 'tmpfs', source: 'tmpfs', target: '/a/b', options: 'nosuid,nodev,exec' },
      { type: 'share', source: '0', target: '/a/b/c', options: 'ro' },
    ]);
    expect(guest.disks).toEqual([{ path: '/disk', slot: 17, readOnly: false, exclusive: true }]);
    expect(guest.share).toMatchObject({ slot: 18, paths: [{ path: '/host/a/b/c', readOnly: true }] });
    expect(guest.layers).toBe(14);
  });

  test('of directories are cached when all of them may be', () => {
    const cached = { cached: true };
    expect(guestMounts([bind('/a', cached), bind('/b', cached)], []).share?.cached).toBe(true);
    expect(guestMounts([bind('/a', cached), bind('/b')], []).share?.cached).toBeUndefined();
  });

  test('of the host need root; disks do not', () => {
    const user = vi.spyOn(process, 'getuid').mockReturnValue(1000);
    try {
      expect(() => guestMounts([bind('/a')], [])).toThrow('can be shared by root only');
      const disk = { type: 'volume', disk: true, source: '/disk' };
      expect(guestMounts([bind('/a', disk)], []).disks).toHaveLength(1);
    } finally {
      user.mockRestore();
    }
  });
});
