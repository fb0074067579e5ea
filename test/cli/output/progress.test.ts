// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import type { Output } from '../../../src/cli/output/index.ts';
import { progressView } from '../../../src/cli/output/progress.ts';
import type { ImageProgress } from '../../../src/core/progress.ts';

const ID = `sha256:${'ab'.repeat(32)}` as const;
const EVENTS: ImageProgress[] = [
  { kind: 'resolving', image: 'debian:12' },
  { kind: 'layers', layers: [{ id: ID, bytes: 2_000_000 }] },
  { kind: 'layer', id: ID, phase: 'transferring', bytes: 500_000, total: 2_000_000 },
  { kind: 'layer', id: ID, phase: 'transferring', bytes: 1_000_000, total: 2_000_000 },
  { kind: 'layer', id: ID, phase: 'done', bytes: 2_000_000, total: 2_000_000 },
];

function show(options: { interactive: boolean; columns?: number; quiet?: boolean }): string {
  const said: string[] = [];
  const refuse = () => {
    throw new Error('progress belongs on stderr');
  };
  const output: Output = {
    interactive: options.interactive,
    columns: options.columns ?? 80,
    write: refuse,
    line: refuse,
    notice: refuse,
    progress: (text) => void said.push(text),
  };
  const view = progressView(output, options.quiet);
  for (const event of EVENTS) view.report(event);
  view.finish();
  return said.join('');
}

test('off a terminal progress is a few plain lines', () => {
  expect(show({ interactive: false })).toBe(
    'Pulling debian:12\nabababababab: Downloading 2MB\nabababababab: Pull complete\n',
  );
});

test('on a terminal bars are redrawn in place and never wider than it', () => {
  for (const columns of [20, 40, 80, 200]) {
    const text = show({ interactive: true, columns });
    expect(text).toContain('\x1b[1A');
    for (const line of text.replace(/\x1b\[\d*[A-Z]/g, '').split(/[\r\n]+/)) {
      expect(line.length).toBeLessThan(Math.max(columns, 28));
    }
    expect(text.endsWith('abababababab: Pull complete\x1b[K\n')).toBe(true);
  }
});

test('quiet shows nothing', () => {
  expect(show({ interactive: true, quiet: true })).toBe('');
});
