// SPDX-License-Identifier: Apache-2.0
// What the commands of `hrun bench` have in common.
import { HrunError } from '../../base/errors.ts';
import type { Summary } from '../../bench/index.ts';
import { writeResult } from '../output/result-file.ts';

/** A whole number of an option; USAGE outside of the bounds. */
export function parseCount(text: string, option: string, least: number, most: number): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= least && count <= most && text.trim() !== '') return count;
  throw new HrunError('USAGE', `${option} ${JSON.stringify(text)} is not a number from ${least} to ${most}`);
}

/** What runs in the containers, by default the least there is. */
export function measuredCommand(words: readonly string[]): readonly string[] {
  return words.length > 0 ? words : ['true'];
}

/** Times in milliseconds, as columns. */
export const TIME_COLUMNS: Record<string, (row: Summary) => string> = {
  MIN: ({ min }) => min.toFixed(1),
  P50: ({ p50 }) => p50.toFixed(1),
  P90: ({ p90 }) => p90.toFixed(1),
  P99: ({ p99 }) => p99.toFixed(1),
};

/** Finds out before the measuring that a result would have nowhere to go. */
export function claimFiles(...paths: (string | undefined)[]): void {
  for (const path of paths) if (path !== undefined) writeResult(path, '');
}

/** For --json. */
export function resultText(result: object): string {
  return `${JSON.stringify(result, null, 2)}\n`;
}
