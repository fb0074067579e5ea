// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Root, rootAt } from '../../src/base/root.ts';
import { settingsPath } from '../../src/base/settings.ts';
import {
  CREATED,
  changeConfig,
  newContainerId,
  readContainerConfig,
  takeName,
} from '../../src/container/index.ts';
import { renameContainer } from '../../src/core/rename-container.ts';

let root: Root;
let directory: string;
beforeEach(async () => {
  root = rootAt(mkdtempSync(join(tmpdir(), 'hrun-rename-')));
  const id = newContainerId();
  directory = join(root.containers, id);
  for (const path of [settingsPath(directory), join(root.containers, 'names'), root.tmp])
    mkdirSync(path, { recursive: true });
  const config = { version: 1, id, name: 'moved', labels: {}, image: 'i', created: '', autoRemove: false };
  writeFileSync(settingsPath(directory, 'config.json'), JSON.stringify(config));
  writeFileSync(join(directory, 'state.json'), JSON.stringify({ ...CREATED, status: 'exited' }));
  await takeName(root, 'moved', id);
});
afterEach(() => rmSync(root.dir, { recursive: true }));

test('of many who rename a container at the same time one has its way, and the others are told', async () => {
  const names = Array.from({ length: 10 }, (_, i) => `moved-${i}`);
  const results = await Promise.allSettled(names.map((name) => renameContainer(root, 'moved', name)));
  const won = names.filter((_, i) => results[i]!.status === 'fulfilled');
  expect(won).toHaveLength(1);
  expect(readContainerConfig(directory).name).toBe(won[0]);
  expect(readdirSync(join(root.containers, 'names'))).toEqual(won);
  for (const result of results)
    if (result.status === 'rejected')
      expect(result.reason.message).toMatch(/has just been renamed moved-\d|no such container: moved/);
});

test('a name that a renaming has not yet freed is not the name of the container any more', async () => {
  await renameContainer(root, 'moved', 'after');
  await takeName(root, 'moved', readContainerConfig(directory).id);
  await expect(renameContainer(root, 'moved', 'second')).rejects.toThrow('no such container: moved');
  expect(readContainerConfig(directory).name).toBe('after');
});

test('a container that is changed and renamed at the same time has both', async () => {
  const label = changeConfig(root, directory, (config) => ({ ...config, labels: { a: 'b' } }));
  await Promise.all([label, renameContainer(root, 'moved', 'after')]);
  expect(readContainerConfig(directory)).toMatchObject({ name: 'after', labels: { a: 'b' } });
});
