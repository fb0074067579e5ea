// SPDX-License-Identifier: Apache-2.0
// Directories with a file for each running container, named by its id and locked by its keeper as long as that lives
// (native/monitor/live_record.h). They are out of reach of monitors in their jails.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { listDirectory } from '../base/directory.ts';
import { isLocked } from '../native/index.ts';

const ID = /^[0-9a-f]{64}$/;

/** The ids of the containers that have a record, those of keepers that were killed among them. */
export function recordIds(directory: string): string[] {
  return listDirectory(directory).filter((name) => ID.test(name));
}

/** Those of keepers that were killed. Only while holding the lock of all networks. */
export function deadRecordIds(directory: string): string[] {
  return recordIds(directory).filter((id) => !isLocked(join(directory, id)));
}

export function forgetRecords(directory: string, ids: readonly string[]): void {
  for (const id of ids) rmSync(join(directory, id), { force: true });
}

/** Removes the records of keepers that were killed. Only while holding the lock of all networks. */
export function forgetDeadRecords(directory: string): void {
  forgetRecords(directory, deadRecordIds(directory));
}
