// SPDX-License-Identifier: Apache-2.0
// hrun system check, the checkpoints that are kept with their containers: docs/store.md, "Checking the store".
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { HrunError } from '../base/errors.ts';
import type { Findings } from '../base/finding.ts';
import type { Root } from '../base/root.ts';
import {
  checkpointsPath,
  containerDirectory,
  leftCheckpoints,
  listCheckpoints,
  listContainerIds,
  readCheckpoint,
  shortId,
  unlessUpdating,
} from '../container/index.ts';
import { findAssets, verifyMachine } from '../vm/index.ts';

/** Looks at every container's checkpoints; `quick`: not at their memory, state and disk. */
export async function checkCheckpoints(
  root: Root,
  { quick }: { quick: boolean },
  findings: Findings,
): Promise<void> {
  for (const id of listContainerIds(root)) {
    const directory = containerDirectory(root, id);
    const parent = checkpointsPath(directory);
    if (listCheckpoints(parent).length === 0 && leftCheckpoints(parent).length === 0) continue;
    // Unless one is being made or removed.
    const checked = unlessUpdating(directory, async () => {
      for (const where of leftCheckpoints(parent))
        await findings.leftover(where, () => rm(where, { recursive: true, force: true }));
      for (const name of listCheckpoints(parent)) await checkOne({ parent, name, id, quick }, findings);
    });
    await checked.catch((error: unknown) => {
      if (existsSync(directory)) throw error; // else it has just been removed
    });
  }
}

async function checkOne(
  { parent, name, id, quick }: { parent: string; name: string; id: string; quick: boolean },
  findings: Findings,
): Promise<void> {
  const damage =
    damageOf(parent, name) ??
    (quick ? undefined : await verifyMachine(findAssets().monitor, join(parent, name)));
  if (damage === undefined || !existsSync(join(parent, name))) return; // sound, or gone with its container
  findings.left({
    kind: 'damage',
    where: `checkpoint ${name} of container ${shortId(id)}`,
    what: `is of no use: ${damage}`,
    remedy: `hrun checkpoint rm ${shortId(id)} ${name}`,
  });
}

function damageOf(parent: string, name: string): string | undefined {
  try {
    readCheckpoint(parent, name);
    return undefined;
  } catch (error) {
    if (error instanceof HrunError) return error.message;
    throw error;
  }
}
