// SPDX-License-Identifier: Apache-2.0
// networks/.cni/<id>: what a container's CNI plug-ins have to be told at its end, written before they are told anything. Its keeper does
// it (native/monitor/plugin_network.cc), else whoever finds the record of a container that nobody runs. Out of reach of monitors in their jails.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { writeFileAtomic } from '../base/atomic-file.ts';
import { makeDirectory } from '../base/directory.ts';
import { HrunError } from '../base/errors.ts';
import { readRegularFile } from '../base/regular-file.ts';
import type { Root } from '../base/root.ts';
import type { CniProgram } from './cni-programs.ts';
import { recordIds } from './live-records.ts';

export interface CniRecord {
  version: 1;
  /** of the network */
  name: string;
  /** path of the network namespace */
  namespace: string;
  /** the plug-ins can be asked whether all is in order (CHECK) */
  checks: boolean;
  /** of the plug-ins, without CNI_COMMAND */
  environment: Record<string, string>;
  /** in the order in which they were added */
  plugins: CniProgram[];
}

export function cniRecordPath(root: Root, id: string): string {
  return join(recordsDirectory(root), id);
}

export async function writeCniRecord(root: Root, id: string, record: CniRecord): Promise<void> {
  await makeDirectory(recordsDirectory(root), 0o700);
  await writeFileAtomic(cniRecordPath(root, id), JSON.stringify(record), { mode: 0o600 });
}

/** What is written down of a container. */
export function readCniRecord(root: Root, id: string): CniRecord {
  return JSON.parse(readRegularFile(cniRecordPath(root, id))) as CniRecord;
}

/** The ids of containers that have a record. */
export function cniRecordIds(root: Root): string[] {
  return recordIds(recordsDirectory(root));
}

/**
 * Has the plug-ins take away what a container has, from the last to the first, and forgets it. `monitor` is the program hrun-vmm. One that is gone
 * already is fine. Only while nobody runs or starts the container. HOST_SETUP with what is in the way: the record stays then.
 */
export async function leaveCniNetwork(root: Root, id: string, monitor: string): Promise<void> {
  try {
    await promisify(execFile)(monitor, ['--cni-del', cniRecordPath(root, id)]);
  } catch (cause) {
    const said = String((cause as { stderr?: string }).stderr ?? '').trim();
    const why = said
      .split('\n')
      .at(-1)!
      .replace(/^hrun-vmm: /, '');
    throw new HrunError('HOST_SETUP', why || `${monitor} cannot be started`, { cause: cause as Error });
  }
}

function recordsDirectory(root: Root): string {
  return join(root.networks, '.cni');
}
