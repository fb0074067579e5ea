// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  checkCheckpointName,
  listCheckpoints,
  makeCheckpoint,
  readCheckpoint,
  removeCheckpoint,
} from '../../src/container/index.ts';

const container = 'a1'.repeat(32);
const description = {
  version: 1,
  created: '2026-01-01T00:00:00Z',
  container,
  facts: { memory: '1 MiB' },
} as const;

let parent: string;
beforeEach(() => {
  parent = join(mkdtempSync(join(tmpdir(), 'hrun-checkpoints-')), 'new');
});
afterEach(() => rmSync(join(parent, '..'), { recursive: true }));

async function make(name: string): Promise<void> {
  await makeCheckpoint(parent, { name, container }, async (directory) => {
    writeFileSync(join(directory, 'memory'), 'm');
    return description;
  });
}

describe('checkpoints of a container', () => {
  test('are listed by name, described, private, and can be removed', async () => {
    expect(listCheckpoints(parent)).toEqual([]);
    for (const name of ['second', 'first']) await make(name);
    expect(listCheckpoints(parent)).toEqual(['first', 'second']);
    expect(readCheckpoint(parent, 'first')).toEqual(description);
    expect(statSync(join(parent, 'first')).mode & 0o777).toBe(0o700);
    expect(statSync(join(parent, 'first/checkpoint.json')).mode & 0o777).toBe(0o600);
    await removeCheckpoint(parent, 'first');
    expect(readdirSync(parent)).toEqual(['second']);
  });

  test('take no name that is taken, and leave what has it as it is', async () => {
    await make('taken');
    await expect(make('taken')).rejects.toMatchObject({ code: 'NAME_IN_USE' });
    // By somebody who was faster.
    const late = makeCheckpoint(parent, { name: 'raced', container }, async () => {
      mkdirSync(join(parent, 'raced'));
      writeFileSync(join(parent, 'raced', 'checkpoint.json'), JSON.stringify(description));
      return description;
    });
    await expect(late).rejects.toMatchObject({ code: 'NAME_IN_USE' });
    expect(readdirSync(parent).sort()).toEqual(['raced', 'taken']);
  });

  test('are not there before they are whole; what a failure or a kill has left goes', async () => {
    const failing = makeCheckpoint(parent, { name: 'half', container }, async (directory) => {
      writeFileSync(join(directory, 'memory'), 'm');
      expect(listCheckpoints(parent)).toEqual([]);
      throw new Error('disk full');
    });
    await expect(failing).rejects.toThrow('disk full');
    expect(readdirSync(parent)).toEqual([]);
    mkdirSync(join(parent, `.killed.${container.slice(0, 12)}.making`));
    mkdirSync(join(parent, '.other.ffffffffffff.making'));
    await make('whole');
    expect(readdirSync(parent).sort()).toEqual(['.other.ffffffffffff.making', 'whole']);
  });

  test('that are not there, or damaged, are named', async () => {
    expect(() => readCheckpoint(parent, 'none')).toThrow('no such checkpoint: none');
    await expect(removeCheckpoint(parent, 'none')).rejects.toMatchObject({ code: 'NO_SUCH_CHECKPOINT' });
    await make('broken');
    for (const text of ['{', '[]', '{"version":2,"facts":{}}', '{"version":1,"facts":null}']) {
      writeFileSync(join(parent, 'broken/checkpoint.json'), text);
      expect(() => readCheckpoint(parent, 'broken')).toThrow('is damaged, or of another version of hrun');
    }
    expect(existsSync(join(parent, 'broken'))).toBe(true);
  });

  test.each(['a', '', '.hidden', '-x', 'a/b', '../up', 'with space', 'x'.repeat(129)])(
    'cannot be called "%s"',
    (name) => {
      expect(() => checkCheckpointName(name)).toThrow('cannot be the name of a checkpoint');
    },
  );
});
