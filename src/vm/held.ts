// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { errnoOf } from '../base/errors.ts';
import { isLocked } from '../native/index.ts';

/** True while a keeper or a monitor, of whatever kind, holds the container or the machine in this directory; false when that is gone. */
export function isHeld(directory: string): boolean {
  try {
    return isLocked(join(directory, 'lock'));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}
