// SPDX-License-Identifier: Apache-2.0
import { existsSync, writeFileSync } from 'node:fs';
import { HrunError, systemMessage } from '../base/errors.ts';

/** USAGE when the file of --cidfile is there already: it may name a container that still runs. */
export function checkCidFile(path: string): void {
  if (!existsSync(path)) return;
  throw new HrunError('USAGE', `the container ID file ${path} is there already`, {
    hint: 'make sure that no container uses it, then delete it',
  });
}

/** Writes a container's ID to a new file. */
export function writeCidFile(path: string, id: string): void {
  try {
    writeFileSync(path, id, { flag: 'wx' });
  } catch (error) {
    throw new HrunError('USAGE', `the container ID file ${path} cannot be written: ${systemMessage(error)}`, {
      cause: error,
    });
  }
}
