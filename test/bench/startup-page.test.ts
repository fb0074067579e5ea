// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { ratioText, startupPage } from '../../src/bench/index.ts';
import type { StartupResult } from '../../src/bench/startup.ts';

const result: StartupResult = {
  date: '2026-01-02T03:04:05.000Z',
  host: { cpu: 'A <fast> CPU', cpus: 2, memoryMiB: 1024, kernel: '6.12', architecture: 'x64' },
  ...{ image: 'busybox', command: 'sh -c "true"', events: 'start to end', baseline: 'runc' },
  rows: [
    {
      ...{ name: 'hrun', runs: 2, min: 90, p50: 100, p90: 108, p99: 110, times: [90, 110] },
      ratio: { ratio: 10, low: 8.125, high: 12 },
      stages: [
        { label: 'monitor started', ms: 40 },
        { label: 'process started', ms: 60 },
      ],
    },
    {
      ...{ name: 'runc', runs: 2, min: 9, p50: 10, p90: 11, p99: 11, times: [9, 11] },
      ratio: undefined,
      stages: [],
    },
  ],
  absent: ['docker: not installed'],
};

test('the page has a dot for every run, a bar for every stage, and what was left out', () => {
  const page = startupPage(result);
  expect(page.match(/<circle /g)).toHaveLength(4);
  expect(page.match(/<rect /g)).toHaveLength(2);
  expect(page).toContain('monitor started: 40.0 ms');
  expect(page).toContain('Not measured: docker: not installed');
});

test('nothing of the host or the command line becomes markup', () => {
  const page = startupPage(result);
  expect(page).not.toContain('<fast>');
  expect(page).not.toContain('"true"');
});

test('a ratio has its interval', () => {
  expect(ratioText(result.rows[0]!)).toBe('10.00 (8.13 to 12.00)');
  expect(ratioText(result.rows[1]!)).toBe('1');
});
