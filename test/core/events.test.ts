// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Root, rootAt } from '../../src/base/root.ts';
import { recordContainer } from '../../src/container/index.ts';
import { parseEventFilters, storeEvents } from '../../src/core/events.ts';
import { recordImage } from '../../src/image/index.ts';

const A = { id: 'aaaa1111', name: 'web', image: 'nginx:1', labels: { tier: 'front' } };
const B = { id: 'bbbb2222', name: 'db', image: 'postgres', labels: { tier: 'back' } };

let root: Root;
beforeAll(async () => {
  root = rootAt(mkdtempSync(join(tmpdir(), 'hrun-events-')));
  recordImage(root, 'pull', 'nginx:1');
  recordContainer(root, A, 'start');
  recordContainer(root, B, 'exec_create: psql -l');
  recordContainer(root, { ...A, name: 'www' }, 'rename', { oldName: '/web' });
  recordContainer(root, A, 'die', { exitCode: '3' });
  await sleep(10); // a range ends with a whole millisecond
});
afterAll(() => rmSync(root.dir, { recursive: true }));

async function events(range: { since?: number; until?: number }, ...filters: string[]): Promise<string[]> {
  const found: string[] = [];
  const whole = { since: range.since, until: range.until ?? Date.now() };
  const stream = storeEvents(root, whole, parseEventFilters(filters), new AbortController().signal);
  for await (const { Action, Actor } of stream) found.push(`${Action} ${Actor.Attributes.name}`);
  return found;
}

describe('the events of a store', () => {
  const all = ['pull nginx:1', 'start web', 'exec_create: psql -l db', 'rename www', 'die www'];

  test('are those of a range of time; a container has the name that it was given last', async () => {
    expect(await events({ since: 0 })).toEqual(all);
    expect(await events({ since: 0, until: 1 })).toEqual([]);
    expect(await events({ since: Date.now() + 60_000, until: Date.now() })).toEqual([]);
  });

  test('go through every filter', async () => {
    const since = { since: 0 };
    expect(await events(since, 'type=image')).toEqual(['pull nginx:1']);
    expect(await events(since, 'event=start', 'event=die')).toEqual(['start web', 'die www']);
    expect(await events(since, 'event=exec_create')).toEqual(['exec_create: psql -l db']);
    expect(await events(since, 'container=db')).toEqual(['exec_create: psql -l db']);
    expect(await events(since, 'container=aaaa')).toEqual(['start web', 'rename www', 'die www']);
    expect(await events(since, 'label=tier=back')).toEqual(['exec_create: psql -l db']);
    expect(await events(since, 'label=tier', 'event=start')).toEqual(['start web']);
    expect(await events(since, 'image=nginx')).toEqual([
      'pull nginx:1',
      'start web',
      'rename www',
      'die www',
    ]);
    expect(await events(since, 'image=postgres')).toEqual(['exec_create: psql -l db']);
    expect(() => parseEventFilters(['nonesuch=1'])).toThrow('is not a filter');
  });

  test('end at a moment to come, and are those that come till then', async () => {
    const coming = events({ until: Date.now() + 3000 }, 'event=stop');
    recordContainer(root, B, 'stop');
    expect(await coming).toEqual(['stop db']);
  });
});
