// SPDX-License-Identifier: Apache-2.0
import { constants } from 'node:os';
import { errnoOf, hasCode } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import {
  containerDirectory,
  findContainer,
  nameOf,
  noSuchContainer,
  type RepairResult,
  releaseName,
  removeContainer,
  repairContainer,
} from '../container/index.ts';
import { endContainer } from './end-container.ts';
import { sweepNetworks } from './join-networks.ts';
import { removeTiedVolumes, tieVolumes } from './volumes.ts';

const REMOVE_ATTEMPTS = 3;

/** Removes the container that a name or id means, unless its monitor does so first (--rm); `force` ends a running one by SIGKILL first, `volumes` takes its volumes without a name along. */
export async function removeContainerCalled(
  root: Root,
  text: string,
  options: { force: boolean; volumes: boolean },
): Promise<void> {
  const id = findContainer(root, text);
  const name = nameOf(root, id);
  const found = await repaired(root, id);
  if (found === 'gone') throw noSuchContainer(text);
  const ended = found === 'alive' && options.force;
  if (ended) await endContainer(containerDirectory(root, id), constants.signals.SIGKILL, 0);
  if (options.volumes && found !== 'removed') await tieVolumes(root, id);
  try {
    if (found !== 'removed') await remove(root, id, options.force);
  } catch (error) {
    if (!hasCode(error, 'NO_SUCH_CONTAINER')) throw error;
    if (!ended) throw noSuchContainer(text);
  }
  if (name !== undefined) await releaseName(root, name, id);
  await removeTiedVolumes(root);
  await sweepNetworks(root);
}

/** By force it is ended again when somebody has started it meanwhile. */
async function remove(root: Root, id: string, force: boolean): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await removeContainer(root, id);
    } catch (error) {
      if (!force || attempt === REMOVE_ATTEMPTS || !hasCode(error, 'CONTAINER_STATE')) throw error;
      await endContainer(containerDirectory(root, id), constants.signals.SIGKILL, 0);
    }
  }
}

/** A full disk does not keep a container from being removed: that its state cannot be told any more is no loss. */
async function repaired(root: Root, id: string): Promise<RepairResult> {
  try {
    return await repairContainer(root, id);
  } catch (error) {
    if (errnoOf(error) === 'ENOSPC') return 'sound';
    throw error;
  }
}
