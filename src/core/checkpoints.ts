// SPDX-License-Identifier: Apache-2.0
// A running container, saved with its memory and its disk, and gone on with from there: docs/checkpoint.md.
import { join, resolve } from 'node:path';
import { HrunError } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import { inStore } from '../base/store-error.ts';
import {
  checkCheckpointName,
  checkpointsPath,
  listCheckpoints,
  makeCheckpoint,
  readCheckpoint,
  recordContainer,
  removeCheckpoint,
  whileUpdating,
} from '../container/index.ts';
import { findAssets, machineFacts, readVmConfig, saveMachine, type VmConfig } from '../vm/index.ts';
import { type KnownContainer, openContainer, openRunning } from './open-container.ts';
import type { StartableContainer } from './run.ts';
import { openToStart } from './start-container.ts';

/** Where checkpoints are, if not with their container. */
export interface CheckpointPlace {
  checkpointDir?: string | undefined;
}

/** Saves a running container, which then ends unless `leaveRunning`; CONTAINER_STATE, UNSUPPORTED, CHECKPOINT_FAILED, NAME_IN_USE. */
export async function createCheckpoint(
  root: Root,
  text: string,
  name: string,
  { leaveRunning, checkpointDir }: CheckpointPlace & { leaveRunning: boolean },
): Promise<void> {
  checkCheckpointName(name);
  const container = await openRunning(root, text);
  checkSavable(text, container, { leaveRunning, checkpointDir });
  const parent = place(container, { checkpointDir });
  await inStore(parent, () => saveContainer(root, container, { parent, name, leaveRunning }));
}

/** Saves a container that checkSavable() has let pass as `parent`/`name`; returns its vm.json. */
export async function saveContainer(
  root: Root,
  { id, directory, config }: KnownContainer,
  { parent, name, leaveRunning }: { parent: string; name: string; leaveRunning: boolean },
): Promise<VmConfig> {
  return await whileUpdating(directory, async () => {
    const vm = readVmConfig(directory);
    const assets = findAssets();
    await makeCheckpoint(parent, { name, container: id }, async (checkpoint) => {
      await saveMachine(assets.monitor, directory, { checkpoint, leaveRunning });
      const created = new Date().toISOString();
      return { version: 1, created, container: id, facts: machineFacts(vm, assets) };
    });
    recordContainer(root, config, 'checkpoint');
    return vm;
  });
}

/** The names of a container's checkpoints. */
export async function checkpointsOf(root: Root, text: string, where: CheckpointPlace): Promise<string[]> {
  return listCheckpoints(place(await openContainer(root, text), where));
}

/** NO_SUCH_CHECKPOINT. */
export async function removeCheckpointOf(
  root: Root,
  text: string,
  name: string,
  where: CheckpointPlace,
): Promise<void> {
  const container = await openContainer(root, text);
  const parent = place(container, where);
  await whileUpdating(container.directory, () => inStore(parent, () => removeCheckpoint(parent, name)));
}

/** A container that is to go on from a checkpoint; CONTAINER_STATE when it runs, UNSUPPORTED when the checkpoint does not fit. */
export async function openToRestore(
  root: Root,
  text: string,
  name: string,
  where: CheckpointPlace,
): Promise<StartableContainer> {
  const parent = place(await openContainer(root, text), where);
  const { facts } = readCheckpoint(parent, name);
  const container = await openToStart(root, text);
  if (container === 'running') {
    throw new HrunError('CONTAINER_STATE', `container ${text} is running already`, {
      hint: `stop it first: hrun stop ${text}`,
    });
  }
  checkMounts(text, container);
  const present = machineFacts(readVmConfig(container.directory), container.assets);
  const other = Object.keys(present).find((fact) => present[fact] !== facts[fact]);
  if (other !== undefined) {
    throw new HrunError(
      'UNSUPPORTED',
      `container ${text} cannot go on from checkpoint ${name}: ${other} differs`,
      {
        hint: `${other}: ${facts[other] ?? 'nothing'} then, ${present[other]} now`,
      },
    );
  }
  return { ...container, checkpoint: join(parent, name) };
}

function place({ directory }: KnownContainer, { checkpointDir }: CheckpointPlace): string {
  return checkpointDir === undefined ? checkpointsPath(directory) : resolve(checkpointDir);
}

/** CONTAINER_STATE, UNSUPPORTED. */
export function checkSavable(
  text: string,
  container: KnownContainer,
  { leaveRunning, checkpointDir }: CheckpointPlace & { leaveRunning: boolean },
): void {
  const { config, state, directory } = container;
  if (state.status === 'paused') {
    throw new HrunError('CONTAINER_STATE', `container ${text} is paused`, {
      hint: `try: hrun unpause ${text}`,
    });
  }
  if (config.autoRemove && !leaveRunning && checkpointDir === undefined) {
    throw new HrunError(
      'UNSUPPORTED',
      `container ${text} is removed at its end (--rm), its checkpoint with it`,
      {
        hint: 'give --leave-running, or --checkpoint-dir',
      },
    );
  }
  const vm = readVmConfig(directory);
  if (vm.engine !== 'qemu') {
    throw new HrunError(
      'UNSUPPORTED',
      `container ${text} runs under the ${vm.engine} engine, which has no checkpoints`,
      {
        hint: 'run it with --engine qemu',
      },
    );
  }
  if (vm.joins) {
    throw new HrunError(
      'UNSUPPORTED',
      `container ${text} runs in the machine of ${vm.joins.name}, which has no checkpoints`,
    );
  }
  checkMounts(text, container);
}

/** What is outside of its disk goes on changing. */
function checkMounts(text: string, { config }: Pick<KnownContainer, 'config'>): void {
  const [mount] = config.mounts;
  if (mount) {
    throw new HrunError(
      'UNSUPPORTED',
      `container ${text} has ${mount.target} from outside: a checkpoint holds its own disk only`,
      { hint: 'there are no checkpoints of containers with volumes or bind mounts' },
    );
  }
}
