// SPDX-License-Identifier: Apache-2.0
import { existsSync, readlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Findings } from '../base/finding.ts';
import type { Root } from '../base/root.ts';
import { STATE_FILE } from './container-state.ts';
import { listContainerIds, nameOf } from './directory.ts';
import { isContainerId, shortId } from './id.ts';
import { giveBackName, idOfName, listNames, lockNames, targetOf } from './names.ts';

/** Names of containers that are gone, those that a removal is busy with left out. */
export function danglingNames(root: Root): string[] {
  return listNames(root).filter((name) => {
    const id = targetOf(root, name);
    if (id === undefined || existsSync(join(root.containers, id))) return false;
    return !existsSync(join(root.tmp, `container-${id}`));
  });
}

/**
 * Under the lock of names: nobody renames a container meanwhile. `dangling` are those that were so a while ago: a removal frees
 * its name last.
 */
export async function checkNames(root: Root, dangling: readonly string[], findings: Findings): Promise<void> {
  const lock = await lockNames(root);
  try {
    for (const name of danglingNames(root).filter((each) => dangling.includes(each))) {
      const where = join(root.containers, 'names', name);
      const finding = {
        kind: 'note',
        where,
        what: 'names a container that is gone',
        remedy: 'free the name',
      } as const;
      await findings.mendable(finding, () => unlinkSync(where));
    }
    for (const name of listNames(root)) await checkLink(root, name, findings);
    for (const id of listContainerIds(root)) await checkName(root, id, findings);
  } finally {
    lock.release();
  }
}

/** A name that leads nowhere, or to a container that is called otherwise, is free: it only looks taken. */
async function checkLink(root: Root, name: string, findings: Findings): Promise<void> {
  const path = join(root.containers, 'names', name);
  const id = readlinkSync(path);
  const remedy = 'free the name';
  if (!isContainerId(id)) {
    const finding = { kind: 'damage', where: path, what: 'leads to no container', remedy } as const;
    await findings.mendable(finding, () => unlinkSync(path));
  } else if (existsSync(join(root.containers, id, STATE_FILE)) && (nameOf(root, id) ?? name) !== name) {
    const what = `is left of a renaming of container ${shortId(id)}`;
    await findings.mendable({ kind: 'note', where: path, what, remedy }, () => unlinkSync(path));
  }
}

async function checkName(root: Root, id: string, findings: Findings): Promise<void> {
  const name = nameOf(root, id);
  const isThere = existsSync(join(root.containers, id, STATE_FILE));
  if (name === undefined || !isThere || idOfName(root, name) === id) return;
  const where = `container ${shortId(id)}`;
  const what = `its name ${name} does not lead to it`;
  const owner = idOfName(root, name);
  if (owner !== undefined) {
    const remedy = `container ${shortId(owner)} has that name: hrun rename ${shortId(id)}`;
    findings.left({ kind: 'damage', where, what, remedy });
    return;
  }
  const finding = { kind: 'damage', where, what, remedy: 'give it back its name' } as const;
  await findings.mendable(finding, () => giveBackName(root, name, id));
}
