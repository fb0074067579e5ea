// SPDX-License-Identifier: Apache-2.0
// hrun system check, the CNI networks: what is left over of containers that do not run, and whether plug-ins find all in order of those that do.
import { existsSync } from 'node:fs';
import { HrunError } from '../base/errors.ts';
import type { Findings } from '../base/finding.ts';
import type { Root } from '../base/root.ts';
import { containerDirectory, readState, shortId } from '../container/index.ts';
import { native } from '../native/index.ts';
import {
  checkCniNetwork,
  cniRecordIds,
  cniRecordPath,
  leaveCniNetwork,
  leftNamespaces,
} from '../network/index.ts';
import { findAssets } from '../vm/index.ts';
import { whileIdle } from './cni.ts';

/** Looks at every container that CNI plug-ins have given something. */
export async function checkCni(root: Root, findings: Findings): Promise<void> {
  for (const path of leftNamespaces(root)) {
    const finding = {
      kind: 'note',
      where: path,
      what: 'is a network namespace of no container',
      remedy: 'remove it',
    } as const;
    await findings.mendable(finding, () => native().removeNetworkNamespace(path));
  }
  for (const id of cniRecordIds(root)) {
    const idle = await whileIdle(root, id, () => checkLeft(root, id, findings));
    if (!idle && isRunning(root, id)) await checkMade(root, id, findings);
  }
}

/** Its keeper was killed, or a plug-in refused. */
async function checkLeft(root: Root, id: string, findings: Findings): Promise<void> {
  const where = cniRecordPath(root, id);
  if (!existsSync(where)) return;
  const what = `tells of what container ${shortId(id)}, which does not run, has in a CNI network`;
  const finding = { kind: 'note', where, what, remedy: 'have its plug-ins take it away' } as const;
  try {
    await findings.mendable(finding, () => leaveCniNetwork(root, id, findAssets().monitor));
  } catch (error) {
    if (!(error instanceof HrunError)) throw error;
    findings.left({
      ...finding,
      kind: 'damage',
      what: `${what}; ${error.message}`,
      remedy: 'mend that, and check again',
    });
  }
}

async function checkMade(root: Root, id: string, findings: Findings): Promise<void> {
  try {
    await checkCniNetwork(root, id);
  } catch (error) {
    if (!isRunning(root, id)) return; // it has ended meanwhile
    if (!(error instanceof HrunError)) throw error;
    const remedy = `restart container ${shortId(id)}, unless the plug-in is wrong`;
    findings.left({
      kind: 'note',
      where: cniRecordPath(root, id),
      what: `is not in order: ${error.message}`,
      remedy,
    });
  }
}

function isRunning(root: Root, id: string): boolean {
  const status = readState(containerDirectory(root, id))?.status;
  return existsSync(cniRecordPath(root, id)) && (status === 'running' || status === 'paused');
}
