// SPDX-License-Identifier: Apache-2.0
// A container that begins in a machine that has waited for one (docs/pool.md), or was started for it in advance (docs/head-start.md).
import { spawn } from 'node:child_process';
import { existsSync, renameSync } from 'node:fs';
import type { Socket } from 'node:net';
import { constants, setPriority } from 'node:os';
import { join } from 'node:path';
import { errnoOf } from '../base/errors.ts';
import { installDir, type Root } from '../base/root.ts';
import { containerDirectory, deleteDirectory } from '../container/index.ts';
import {
  connectWaiting,
  type Engine,
  emptySettings,
  type HeadStart,
  headStartDirectory,
  isUnderWay,
  listWaiting,
  machinesDirectory,
  POOL_NIC,
  poolDirectory,
  type TemplateShape,
  type TemplateSize,
  templateInputs,
  templateKey,
  type VmAssets,
} from '../vm/index.ts';
import { templatePolicy } from './templates.ts';

/** A machine that has been taken: its directory is a container's, without settings. */
export interface TakenMachine {
  id: string;
  directory: string;
  /** What is written begins the container, once its settings are there. To close it ends the machine. */
  connection: Socket;
}

/** The pool of a size. */
export interface PoolUse {
  /** undefined when none waited */
  machine: TakenMachine | undefined;
  /** Has the pool filled up again, in a process of its own. */
  refill(): void;
}

/**
 * Takes a machine of this size for a new container, which no other can take then: one that waits, else the one that had a head start; undefined when
 * there is no such pool, nor such a one. Only while containers are
 * made: whoever clears up would take the directory for one that was left behind.
 */
export async function takeMachine(
  root: Root,
  engine: Engine,
  assets: VmAssets,
  shape: TemplateShape,
  headStart: HeadStart | undefined,
): Promise<PoolUse | undefined> {
  const hasPool = existsSync(poolDirectory(root, shape));
  if (engine.engine !== 'qemu' || templatePolicy() === 'off' || !(hasPool || headStart)) return undefined;
  const keyOf = (nic: boolean) => templateKey(templateInputs(engine, assets, { ...shape, nic })) ?? 'none';
  const waiting = hasPool ? await takeOne(root, machinesDirectory(root, shape, keyOf(POOL_NIC))) : undefined;
  const machine = waiting ?? (await takeStarted(root, keyOf(shape.nic), headStart));
  return { machine, refill: () => hasPool && refill(root, shape) };
}

/** The machine that was started for this very container, if it is one that fits, and has not been given up meanwhile. */
async function takeStarted(
  root: Root,
  key: string,
  headStart: HeadStart | undefined,
): Promise<TakenMachine | undefined> {
  if (headStart?.key !== key) return undefined;
  const { id, connection } = headStart;
  const from = headStartDirectory(root, id);
  const directory = containerDirectory(root, id);
  if (!isUnderWay(from) || !move(from, directory)) return undefined;
  try {
    emptySettings(directory);
  } catch {
    connection.destroy(); // then it ends, and the container has another
    await deleteDirectory(root, id);
    return undefined;
  }
  connection.ref();
  return { id, directory, connection };
}

async function takeOne(root: Root, machines: string): Promise<TakenMachine | undefined> {
  for (const id of listWaiting(machines)) {
    const directory = containerDirectory(root, id);
    if (!move(join(machines, id), directory)) continue;
    const connection = await connectWaiting(directory);
    if (connection) {
      connection.on('error', () => {}); // whoever uses it hears of its end
      emptySettings(directory);
      return { id, directory, connection };
    }
    await deleteDirectory(root, id); // it was killed
  }
  return undefined;
}

/** False when somebody else was quicker. */
function move(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Outlives this process. */
function refill(root: Root, { vcpus, memoryMiB }: TemplateSize): void {
  const words = ['pool', 'create', '--memory', `${memoryMiB}m`, '--cpus', String(vcpus), '--refill'];
  const child = spawn(join(installDir(), 'bin/hrun'), words, {
    ...{ cwd: '/', detached: true, stdio: 'ignore', env: { ...process.env, HRUN_ROOT: root.dir } },
  });
  child.on('error', () => {}); // whoever starts the next container tries again
  if (child.pid) setPriority(child.pid, constants.priority.PRIORITY_LOW);
  child.unref();
}
