// SPDX-License-Identifier: Apache-2.0
import { constants } from 'node:os';
import { hasCode } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import {
  containerDirectory,
  findContainer,
  type RepairResult,
  removeContainer,
  repairContainer,
} from '../container/index.ts';
import { Session } from '../guest/index.ts';
import { connectMonitor } from '../vm/index.ts';

/** Removes the container that a name or id means; `force` ends a running one by SIGKILL first. */
export async function removeContainerCalled(
  root: Root,
  text: string,
  options: { force: boolean },
): Promise<void> {
  const id = findContainer(root, text);
  const found: RepairResult = await repairContainer(root, id);
  if (found === 'removed') return;
  if (found === 'alive' && options.force) await endContainer(containerDirectory(root, id));
  await removeContainer(root, id);
}

/** Resolves when the monitor has let go of the container; one that is not running any more is fine. */
async function endContainer(directory: string): Promise<void> {
  try {
    const socket = await connectMonitor(directory);
    await new Promise<void>((resolve) => {
      const session = new Session(socket, {
        output: () => {},
        close: () => resolve(),
        gone: () => session.close(),
      });
      session.stop(constants.signals.SIGKILL, 0);
    });
  } catch (error) {
    if (!hasCode(error, 'CONTAINER_STATE')) throw error;
  }
}
