// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from 'node:fs';
import { HrunError } from '../../base/errors.ts';

/** Writes a file that the user has asked for under what they `called` it; OUTPUT_FAILED. */
export function writeResult(path: string, content: string, called = path): void {
  try {
    writeFileSync(path, content);
  } catch (cause) {
    throw new HrunError('OUTPUT_FAILED', `${called} cannot be written: ${(cause as Error).message}`, {
      cause,
    });
  }
}
