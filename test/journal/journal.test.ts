// SPDX-License-Identifier: Apache-2.0
import { appendFileSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Root, rootAt } from '../../src/base/root.ts';
import { readEvents, recordEvent } from '../../src/journal/index.ts';

const FULL = 1024 * 1024;

let root: Root;
beforeEach(() => {
  root = rootAt(mkdtempSync(join(tmpdir(), 'hrun-journal-')));
});
afterEach(() => rmSync(root.dir, { recursive: true }));

function record(id: string, label = ''): void {
  recordEvent(root, { Type: 'volume', Action: 'create', Actor: { ID: id, Attributes: { label } } });
}

async function recorded(): Promise<string[]> {
  const ids: string[] = [];
  for await (const events of readEvents(root)) ids.push(...events.map(({ Actor }) => Actor.ID));
  return ids;
}

describe('the journal of events', () => {
  test('keeps what was recorded, in order, with the time', async () => {
    const before = Date.now() * 1e6;
    record('a');
    record('b');
    for await (const [a, b] of readEvents(root)) {
      expect(a).toMatchObject({ Type: 'volume', Action: 'create', scope: 'local', Actor: { ID: 'a' } });
      expect(a!.time).toBe(Math.floor(a!.timeNano / 1e9));
      expect(b!.timeNano).toBeGreaterThanOrEqual(a!.timeNano);
      expect(a!.timeNano).toBeGreaterThan(before - 1e9);
    }
    expect(await recorded()).toEqual(['a', 'b']);
  });

  test('of a store in which nothing has happened is empty', async () => {
    expect(await recorded()).toEqual([]);
  });

  test('leaves out a line that was cut, and none that follows it', async () => {
    record('a');
    appendFileSync(join(root.dir, 'events.log'), '\n{"Type":"volume","Action":"cre');
    record('b');
    appendFileSync(join(root.dir, 'events.log'), '{"Type":1}\nnull\n[]\n\0\0\0\n');
    record('c');
    expect(await recorded()).toEqual(['a', 'b', 'c']);
  });

  test('is bounded: a full one becomes the older one, and the one before that goes', async () => {
    const label = 'x'.repeat(100_000);
    for (let i = 0; i < 30; i++) record(String(i), label);
    expect(readdirSync(root.dir).sort()).toEqual(['events.lock', 'events.log', 'events.log.1']);
    for (const name of ['events.log', 'events.log.1'])
      expect(statSync(join(root.dir, name)).size).toBeLessThan(FULL + 2 * label.length);
    const ids = (await recorded()).map(Number);
    expect(ids).toEqual(Array.from({ length: ids.length }, (_, i) => 30 - ids.length + i));
    expect(ids.length).toBeGreaterThan(10);
  });

  test('can be followed: nothing is lost or doubled over rotations', async () => {
    const label = 'x'.repeat(50_000);
    const stop = new AbortController();
    const ids: number[] = [];
    const follower = (async () => {
      for await (const events of readEvents(root, stop.signal))
        ids.push(...events.map(({ Actor }) => Number(Actor.ID)));
    })();
    for (let i = 0; i < 100; i++) {
      record(String(i), label);
      await expect.poll(() => ids.length, { interval: 2, timeout: 30_000 }).toBeGreaterThan(i - 8);
    }
    await expect.poll(() => ids.length, { timeout: 30_000 }).toBe(100);
    stop.abort();
    await follower;
    expect(ids).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });

  test('of a store that cannot be written keeps nobody from working', () => {
    const gone = rootAt(join(root.dir, 'nonesuch'));
    recordEvent(gone, { Type: 'volume', Action: 'create', Actor: { ID: 'a', Attributes: {} } });
    expect(readdirSync(root.dir)).toEqual([]);
  });
});
