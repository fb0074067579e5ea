// SPDX-License-Identifier: Apache-2.0
import { accessSync, constants } from 'node:fs';

/** True for a program that this user may execute. */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
