// SPDX-License-Identifier: Apache-2.0
// What the commands of `hrun bench` have in common.
import { writeFileSync } from 'node:fs';
import { HrunError } from '../../base/errors.ts';

/** A whole number of an option; USAGE outside of the bounds. */
export function parseCount(text: string, option: string, least: number, most: number): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= least && count <= most && text.trim() !== '') return count;
  throw new HrunError('USAGE', `${option} ${JSON.stringify(text)} is not a number from ${least} to ${most}`);
}

/** Finds out before the measuring that a result would have nowhere to go. */
export function claimFiles(...paths: (string | undefined)[]): void {
  for (const path of paths) if (path !== undefined) writeResult(path, '');
}

export function writeResult(path: string, content: string): void {
  try {
    writeFileSync(path, content);
  } catch (cause) {
    throw new HrunError('OUTPUT_FAILED', `${path} cannot be written: ${(cause as Error).message}`, { cause });
  }
}

/** For --json. */
export function resultText(result: object): string {
  return `${JSON.stringify(result, null, 2)}\n`;
}
