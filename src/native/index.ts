// SPDX-License-Identifier: Apache-2.0
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { errnoOf, HrunError } from '../base/errors.ts';
import { installDir } from '../base/root.ts';
import type { Addon } from './addon.ts';

export type * from './addon.ts';

let loaded: Addon | undefined;

/** The native addon, loaded on first use: commands that need no native code do not pay for it. */
export function native(): Addon {
  loaded ??= load(join(installDir(), 'build', 'native', 'hrun.node'));
  return loaded;
}

/** True while somebody holds the file's lock exclusively. The file is made if it is not there; its directory has to be. */
export function isLocked(path: string): boolean {
  const lock = native().lockFile(path, { shared: true, wait: false });
  lock?.release();
  return lock === null;
}

function load(path: string): Addon {
  try {
    return createRequire(import.meta.url)(path) as Addon;
  } catch (error) {
    if (errnoOf(error) !== 'MODULE_NOT_FOUND' && errnoOf(error) !== 'ERR_DLOPEN_FAILED') throw error;
    throw new HrunError('HOST_SETUP', `the native addon ${path} cannot be loaded`, {
      hint: 'run: npm run setup',
      cause: error,
    });
  }
}
