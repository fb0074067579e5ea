// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Root, rootAt } from '../../src/base/root.ts';
import {
  checkVolumeName,
  createVolume,
  deleteVolume,
  findVolume,
  listVolumes,
  lockVolumes,
  type NewVolume,
  newAnonymousName,
  readVolume,
} from '../../src/volume/index.ts';

let root: Root;

beforeEach(() => {
  root = rootAt(mkdtempSync(join(tmpdir(), 'hrun-volume-')));
});
afterEach(() => rmSync(root.dir, { recursive: true, force: true }));

function wanted(name: string, diskSize?: number): NewVolume {
  const options = { labels: { a: '1' }, options: {}, anonymous: false, removedWith: undefined };
  return { name, ...options, diskSize };
}

async function make(name: string) {
  const lock = await lockVolumes(root, { shared: true });
  try {
    return await createVolume(root, wanted(name), async () => {});
  } finally {
    lock.release();
  }
}

describe('the volumes of a store', () => {
  test('are made whole: a directory for the files, open to all, and what is known of it, to nobody else', async () => {
    await make('data');
    const directory = join(root.volumes, 'data');
    expect(readdirSync(directory).sort()).toEqual(['_data', 'volume.json']);
    expect(statSync(join(directory, '_data')).mode & 0o777).toBe(0o755);
    expect(statSync(directory).mode & 0o777).toBe(0o711);
    expect(findVolume(root, 'data')).toMatchObject({ name: 'data', labels: { a: '1' } });
    expect(listVolumes(root).map(({ name }) => name)).toEqual(['data']);
  });

  test('are one for everybody who makes one of the same name at the same time', async () => {
    const made = await Promise.all(Array.from({ length: 8 }, () => make('same')));
    expect(new Set(made.map(({ created }) => created)).size).toBe(1);
    expect(readdirSync(root.volumes).sort()).toEqual(['.lock', 'same']);
  });

  test('with a size have a disk instead of a directory', async () => {
    await lockVolumes(root, { shared: true }).then((lock) => lock.release());
    await createVolume(root, wanted('disk', 4096), async (path, bytes) => {
      writeFileSync(path, Buffer.alloc(bytes));
    });
    expect(statSync(join(root.volumes, 'disk/disk.ext4')).size).toBe(4096);
  });

  test('leave nothing behind when they cannot be made', async () => {
    await lockVolumes(root, { shared: true }).then((lock) => lock.release());
    const broken = createVolume(root, wanted('disk', 4096), async () => {
      throw new Error('no disk');
    });
    await expect(broken).rejects.toThrow('no disk');
    expect(readdirSync(root.volumes)).toEqual(['.lock']);
  });

  test('go with all they hold, and with what killed commands have left', async () => {
    await make('data');
    writeFileSync(join(root.volumes, 'data/_data/file'), 'x');
    mkdirSync(join(root.volumes, '.unfinished-0123'));
    await deleteVolume(root, 'data');
    await deleteVolume(root, 'data');
    expect(readdirSync(root.volumes)).toEqual(['.lock']);
  });

  test('that are damaged are named, and left out of a list', async () => {
    await make('data');
    writeFileSync(join(root.volumes, 'data/volume.json'), '{"version":1,');
    expect(() => readVolume(root, 'data')).toThrow('data/volume.json is damaged');
    expect(listVolumes(root)).toEqual([]);
    expect(readFileSync(join(root.volumes, 'data/volume.json'), 'utf8')).toBe('{"version":1,');
  });
});

describe('the name of a volume', () => {
  test('is letters, digits, "_", "." and "-", and never leads out of the store', () => {
    for (const name of ['pg_data', 'a.b-c', newAnonymousName()]) expect(checkVolumeName(name)).toBe(name);
    for (const name of ['', 'a', '.lock', '../x', 'a/b', '-x', 'a b']) {
      expect(() => checkVolumeName(name)).toThrow('includes invalid characters for a local volume name');
      expect(readVolume(root, name)).toBeUndefined();
    }
    expect(() => findVolume(root, 'nothing')).toThrow('get nothing: no such volume');
  });
});
