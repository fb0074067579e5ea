// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Root, rootAt } from '../../src/base/root.ts';
import { settingsPath } from '../../src/base/settings.ts';
import { type ContainerState, CREATED, readState } from '../../src/container/container-state.ts';
import {
  findContainer,
  listContainerIds,
  lockForMaking,
  makeContainerDirectory,
} from '../../src/container/directory.ts';
import { newContainerId } from '../../src/container/id.ts';
import { changeName, idOfName, releaseName, takeGeneratedName, takeName } from '../../src/container/names.ts';
import { removeContainer } from '../../src/container/remove.ts';
import { repairContainer, repairContainers } from '../../src/container/repair.ts';
import { makeWritableDisk } from '../../src/container/writable-disk.ts';
import { native } from '../../src/native/index.ts';

let root: Root;

beforeEach(() => {
  root = rootAt(mkdtempSync(join(tmpdir(), 'hrun-container-')));
});
afterEach(() => rmSync(root.dir, { recursive: true, force: true }));

/** A container's directory as `run` and the monitor would have left it. */
async function make(
  status?: ContainerState['status'],
  { autoRemove = false, name = '' } = {},
): Promise<string> {
  const id = newContainerId();
  (await lockForMaking(root)).release();
  const directory = makeContainerDirectory(root, id);
  if (name) await takeName(root, name, id);
  const named = name ? { name } : {}; // without one it is still being made
  writeFileSync(
    settingsPath(directory, 'config.json'),
    JSON.stringify({ version: 1, id, ...named, autoRemove }),
  );
  if (status) writeFileSync(join(directory, 'state.json'), JSON.stringify({ ...CREATED, status }));
  return id;
}

function pathOf(id: string, file = ''): string {
  return join(root.containers, id, file);
}

function holdLock(id: string) {
  return native().lockFile(pathOf(id, 'lock'), { shared: false, wait: false })!;
}

describe('names', () => {
  test('one container at a time holds a name', async () => {
    const [a, b] = [await make('created', { name: 'web' }), await make('created')];
    await expect(takeName(root, 'web', b)).rejects.toMatchObject({ code: 'NAME_IN_USE' });
    expect(idOfName(root, 'web')).toBe(a);
    await releaseName(root, 'web', b);
    expect(idOfName(root, 'web')).toBe(a);
    await releaseName(root, 'web', a);
    await takeName(root, 'web', b);
    expect(idOfName(root, 'web')).toBe(b);
  });

  test('a renaming that was cut off can be done again, and its name is free for others', async () => {
    const [a, b] = [await make('created', { name: 'web' }), await make('created')];
    symlinkSync(a, join(root.containers, 'names', 'db'));
    const write = async () =>
      writeFileSync(
        settingsPath(pathOf(a), 'config.json'),
        JSON.stringify({ version: 1, id: a, name: 'db' }),
      );
    await changeName(root, a, { before: 'web', after: 'db' }, write);
    expect([idOfName(root, 'db'), idOfName(root, 'web')]).toEqual([a, undefined]);
    symlinkSync(a, join(root.containers, 'names', 'old'));
    await takeName(root, 'old', b);
    expect(idOfName(root, 'old')).toBe(b);
    await expect(takeName(root, 'db', b)).rejects.toMatchObject({ code: 'NAME_IN_USE' });
  });

  test('a name whose container is gone is free, and only one of many takes it', async () => {
    const old = await make('created', { name: 'web' });
    rmSync(pathOf(old), { recursive: true });
    const ids = await Promise.all(Array.from({ length: 8 }, () => make('created')));
    const taken = await Promise.allSettled(ids.map((id) => takeName(root, 'web', id)));
    expect(taken.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(ids).toContain(idOfName(root, 'web'));
  });

  test.each(['', 'a', '-a', 'a/b', '../x', 'a b', 'é1', 'x'.repeat(129)])('%j is no name', async (name) => {
    const id = await make('created');
    await expect(takeName(root, name, id)).rejects.toMatchObject({ code: 'USAGE' });
  });

  test('a generated name is two words, and belongs to its container', async () => {
    const id = await make('created');
    const name = await takeGeneratedName(root, id);
    expect(name).toMatch(/^[a-z]+_[a-z]+$/);
    expect(idOfName(root, name)).toBe(id);
  });

  test('a link that points out of the store is nobody', async () => {
    await make('created', { name: 'web' });
    symlinkSync('../../etc', join(root.containers, 'names', 'evil'));
    expect(idOfName(root, 'evil')).toBeUndefined();
  });
});

describe('finding a container', () => {
  test('by name, by id, by the unique beginning of one', async () => {
    const id = await make('created', { name: 'web' });
    for (const text of ['web', id, id.slice(0, 12)]) expect(findContainer(root, text)).toBe(id);
    expect(() => findContainer(root, 'nope')).toThrow(expect.objectContaining({ code: 'NO_SUCH_CONTAINER' }));
    await make('created');
    expect(() => findContainer(root, '')).toThrow('no such container');
  });
});

describe('repair', () => {
  test.each([
    ['running', 137, 9],
    ['starting', 125, 0],
  ] as const)(
    'a container found %s without a monitor has exited with %d',
    async (status, exitCode, signal) => {
      const id = await make(status);
      writeFileSync(pathOf(id, 'control.sock'), '');
      writeFileSync(pathOf(id, 'vsock.sock_1024'), '');
      expect(await repairContainer(root, id)).toBe('repaired');
      expect(readState(pathOf(id))).toMatchObject({ status: 'exited', exitCode, signal, error: { kind: 8 } });
      expect(readdirSync(pathOf(id)).filter((name) => name.includes('.sock'))).toEqual([]);
      expect(await repairContainer(root, id)).toBe('sound');
    },
  );

  test.each(['running', 'starting', 'exited', 'created'] as const)(
    'a container found %s without a monitor goes when it was to be removed',
    async (status) => {
      const id = await make(status, { autoRemove: true, name: 'web' });
      writeFileSync(pathOf(id, 'writable.ext4'), 'x');
      expect(await repairContainer(root, id)).toBe('removed');
      await repairContainers(root);
      expect(readdirSync(root.containers).sort()).toEqual(['lock', 'names', 'names.lock']);
      expect(readdirSync(join(root.containers, 'names'))).toEqual([]);
      expect(readdirSync(root.tmp)).toEqual([]);
    },
  );

  test('a container that somebody else has removed is gone, not removed again', async () => {
    const id = await make('exited');
    await removeContainer(root, id);
    expect(await repairContainer(root, id)).toBe('gone');
  });

  test('a container whose monitor lives is left alone', async () => {
    const id = await make('running', { autoRemove: true });
    const lock = holdLock(id);
    expect(await repairContainer(root, id)).toBe('alive');
    expect(readState(pathOf(id))?.status).toBe('running');
    lock.release();
  });

  test('a keeper that is dead is no life: what it has started is waited for until it has let go', async () => {
    const id = await make('running');
    const { pid } = spawnSync('true');
    writeFileSync(
      pathOf(id, 'state.json'),
      JSON.stringify({ ...CREATED, status: 'running', monitorPid: pid }),
    );
    const lock = holdLock(id);
    const repaired = repairContainer(root, id);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(readState(pathOf(id))?.status).toBe('running');
    lock.release();
    expect(await repaired).toBe('repaired');
    expect(readState(pathOf(id))?.status).toBe('exited');
  });

  test('a keeper that lives is not waited for', async () => {
    const id = await make('running');
    const state = { ...CREATED, status: 'running', monitorPid: process.pid };
    writeFileSync(pathOf(id, 'state.json'), JSON.stringify(state));
    const lock = holdLock(id);
    expect(await repairContainer(root, id)).toBe('alive');
    lock.release();
  });

  test('a created or exited container stays as it is', async () => {
    for (const status of ['created', 'exited'] as const) {
      expect(await repairContainer(root, await make(status))).toBe('sound');
    }
  });

  test('a half-made container goes, but not while one is being made', async () => {
    const id = await make();
    const making = await lockForMaking(root);
    expect(await repairContainer(root, id)).toBe('alive');
    expect(listContainerIds(root)).toEqual([id]);
    making.release();
    expect(await repairContainer(root, id)).toBe('removed');
    expect(listContainerIds(root)).toEqual([]);
  });

  test('two containers are made at the same time', async () => {
    const [a, b] = [await lockForMaking(root), await lockForMaking(root)];
    a.release();
    b.release();
  });

  test('what a killed removal left is cleared away', async () => {
    await make('created');
    mkdirSync(join(root.tmp, `container-${newContainerId()}`, 'x'), { recursive: true });
    await repairContainers(root);
    expect(readdirSync(root.tmp)).toEqual([]);
  });
});

describe('removing', () => {
  test('takes the directory and the name', async () => {
    const id = await make('exited', { name: 'web' });
    await removeContainer(root, id);
    expect(existsSync(pathOf(id))).toBe(false);
    expect(idOfName(root, 'web')).toBeUndefined();
    await expect(removeContainer(root, id)).rejects.toMatchObject({ code: 'NO_SUCH_CONTAINER' });
  });

  test('refuses a container whose monitor lives', async () => {
    const id = await make('running');
    const lock = holdLock(id);
    await expect(removeContainer(root, id)).rejects.toMatchObject({ code: 'CONTAINER_STATE' });
    lock.release();
    expect(existsSync(pathOf(id))).toBe(true);
  });

  test('one at rest whose files are being looked at is waited for', async () => {
    const id = await make('exited', { name: 'web' });
    const lock = holdLock(id);
    const removed = removeContainer(root, id);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(readState(pathOf(id))?.status).toBe('exited');
    lock.release();
    await removed;
    expect(listContainerIds(root)).toEqual([]);
  });
});

describe('the writable disk', () => {
  test('is a sound empty ext4 of 10 GiB that takes next to no space, made once for concurrent callers', async () => {
    (await lockForMaking(root)).release();
    const paths = [0, 1, 2].map((n) => join(root.containers, `disk${n}`));
    await Promise.all(paths.map((path) => makeWritableDisk(root, path)));
    for (const path of paths) {
      expect(statSync(path).size).toBe(10 * 1024 ** 3);
      expect(statSync(path).blocks * 512).toBeLessThan(4 << 20);
      await execa('/usr/sbin/e2fsck', ['-fn', path]);
    }
    expect(readdirSync(root.cache).sort()).toEqual(['empty-10240m.v1.ext4', 'empty-disk.lock']);
  });

  test('can be as small as the option allows', async () => {
    (await lockForMaking(root)).release();
    const path = join(root.containers, 'disk');
    await makeWritableDisk(root, path, 128 * 1024 ** 2);
    await execa('/usr/sbin/e2fsck', ['-fn', path]);
  });
});
