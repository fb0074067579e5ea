// SPDX-License-Identifier: Apache-2.0
// Progress of images coming in: bars that are redrawn on a terminal, a few plain lines elsewhere; on stderr.
import type { ImageProgress, Report } from '../../core/progress.ts';
import type { Output } from './output.ts';
import { formatSize } from './units.ts';

/** Milliseconds between two drawings. */
const REDRAW_MS = 80;
const ID_LENGTH = 12;
const MAX_BAR = 40;

interface LayerState {
  bytes: number;
  total: number;
  phase: 'waiting' | 'transferring' | 'done' | 'exists';
}

export interface ProgressView {
  report: Report;
  /** Draws the last state; nothing may be reported after it. */
  finish(): void;
}

/** Shows progress in the way that fits where stderr goes; `quiet` shows nothing. */
export function progressView(output: Output, quiet = false): ProgressView {
  if (quiet) return { report: () => {}, finish: () => {} };
  return output.interactive ? barsView(output) : linesView(output);
}

function linesView(output: Output): ProgressView {
  const started = new Set<string>();
  const say = (id: string, text: string) => output.progress(`${shortId(id)}: ${text}\n`);
  return {
    report(progress) {
      if (progress.kind === 'resolving') output.progress(`Pulling ${progress.image}\n`);
      else if (progress.kind === 'note') output.progress(`${progress.text}\n`);
      else if (progress.kind === 'layer') {
        const { id, phase, total } = progress;
        if (phase === 'exists') say(id, 'Already exists');
        else if (phase === 'done') say(id, 'Pull complete');
        else if (!started.has(id)) say(id, `Downloading ${formatSize(total)}`);
        started.add(id);
      }
    },
    finish() {},
  };
}

function barsView(output: Output): ProgressView {
  const layers = new Map<string, LayerState>();
  let drawnLines = 0;
  let drawnAt = 0;
  const draw = () => {
    const lines = [...layers].map(([id, state]) => barLine(id, state, output.columns));
    const up = drawnLines > 0 ? `\x1b[${drawnLines}A` : '';
    output.progress(up + lines.map((line) => `\r${line}\x1b[K\n`).join(''));
    drawnLines = lines.length;
    drawnAt = performance.now();
  };
  return {
    report(progress) {
      if (progress.kind === 'resolving') output.progress(`Pulling ${progress.image}\n`);
      else if (progress.kind === 'note') output.progress(`${progress.text}\n`);
      else note(layers, progress);
      if (progress.kind === 'resolving' || progress.kind === 'note' || progress.kind === 'layers')
        drawnLines = 0;
      else if (isEnd(progress) || performance.now() - drawnAt > REDRAW_MS) draw();
    },
    finish: () => {
      if (layers.size > 0) draw();
    },
  };
}

function note(
  layers: Map<string, LayerState>,
  progress: Extract<ImageProgress, { kind: 'layer' | 'layers' }>,
): void {
  if (progress.kind === 'layers') {
    layers.clear();
    for (const { id, bytes } of progress.layers) layers.set(id, { bytes: 0, total: bytes, phase: 'waiting' });
  } else {
    layers.set(progress.id, progress);
  }
}

function isEnd(progress: ImageProgress): boolean {
  return progress.kind === 'layer' && progress.phase !== 'transferring';
}

function barLine(id: string, { bytes, total, phase }: LayerState, columns: number): string {
  const name = `${shortId(id)}: `;
  if (phase === 'waiting') return `${name}Waiting`;
  if (phase === 'exists') return `${name}Already exists`;
  if (phase === 'done') return `${name}Pull complete`;
  const numbers = ` ${formatSize(bytes)}/${formatSize(total)}`;
  const width = Math.min(MAX_BAR, columns - name.length - numbers.length - 3);
  if (width < 5) return `${name}${numbers.trim()}`.slice(0, columns - 1);
  const full = Math.round((width * bytes) / Math.max(total, 1));
  return `${name}[${'='.repeat(full)}${' '.repeat(width - full)}]${numbers}`;
}

function shortId(digest: string): string {
  return digest.slice(digest.indexOf(':') + 1).slice(0, ID_LENGTH);
}
