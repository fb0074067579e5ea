// SPDX-License-Identifier: Apache-2.0
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type LogEntry, logEntries } from '../../src/core/log-entries.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hrun-log-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const path = (number: number) => join(directory, number === 0 ? 'container.log' : `container.log.${number}`);

function write(number: number, ...texts: string[]): void {
  const lines = texts.map((log) => JSON.stringify({ log, stream: 'stdout', time: '2026-01-02T03:04:05Z' }));
  appendFileSync(path(number), lines.map((line) => `${line}\n`).join(''));
}

/** One step of a rotation. */
function rename(number: number): void {
  if (existsSync(path(number))) renameSync(path(number), path(number + 1));
}

async function all(follow?: AbortSignal): Promise<string[]> {
  const found: string[] = [];
  for await (const entries of logEntries(directory, {}, follow))
    found.push(...entries.map(({ text }) => text));
  return found;
}

describe('a log that is followed', () => {
  test('ends with its container, also when that is removed', async () => {
    write(0, 'a');
    const gone = new AbortController();
    const reader = logEntries(directory, {}, gone.signal);
    expect(await reader.next()).toMatchObject({ done: false });
    rmSync(directory, { recursive: true });
    gone.abort();
    expect(await reader.next()).toMatchObject({ done: true });
    mkdirSync(directory);
  });
});

describe('a rotated log', () => {
  test('is read oldest first', async () => {
    write(2, 'a');
    write(1, 'b');
    write(0, 'c');
    expect(await all()).toEqual(['a', 'b', 'c']);
  });

  test('is whole while the monitor has renamed only some of its files', async () => {
    write(2, 'a');
    write(0, 'b');
    expect(await all()).toEqual(['a', 'b']);
    renameSync(path(0), path(1));
    expect(await all()).toEqual(['a', 'b']);
  });

  test('that was rotated more than once while nobody looked is followed without a gap', async () => {
    write(0, 'a');
    const stop = new AbortController();
    const reader = logEntries(directory, {}, stop.signal);
    const found: string[] = [];
    for (const entry of (await reader.next()).value as LogEntry[]) found.push(entry.text);
    write(0, 'late');
    for (const text of ['b', 'c', 'd']) {
      for (const number of [2, 1, 0]) rename(number);
      write(0, text);
    }
    stop.abort();
    for await (const entries of reader) found.push(...entries.map(({ text }) => text));
    expect(found).toEqual(['a', 'late', 'b', 'c', 'd']);
  });

  test('is followed under rotations at any moment', async () => {
    write(0, '0');
    const stop = new AbortController();
    const following = all(stop.signal);
    for (let i = 1; i <= 3000; i++) {
      if (i % 40 === 0) {
        for (let number = i / 40; number >= 0; number--) {
          rename(number);
          if (number < 3 && i % 80 === 0) await new Promise((resolve) => setImmediate(resolve));
        }
      }
      write(0, String(i));
      if (i % 7 === 0) await new Promise((resolve) => setImmediate(resolve));
      if (i % 40 === 20) await new Promise((resolve) => setTimeout(resolve, 4));
    }
    stop.abort();
    expect(await following).toEqual(Array.from({ length: 3001 }, (_, i) => String(i)));
  });
});

test('a line that a power cut damaged is left out', async () => {
  write(0, 'a');
  appendFileSync(path(0), '{"log":"b"\n\0\0\0\n');
  write(0, 'c');
  expect(await all()).toEqual(['a', 'c']);
});
