// SPDX-License-Identifier: Apache-2.0
// Machines that were started in advance and wait for a container: docs/pool.md.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { listDirectory } from '../base/directory.ts';
import { errnoOf, HrunError } from '../base/errors.ts';
import type { Findings } from '../base/finding.ts';
import type { Root } from '../base/root.ts';
import { newContainerId } from '../container/index.ts';
import { type FileLock, native } from '../native/index.ts';
import {
  chooseEngine,
  dismiss,
  type EngineName,
  findAssets,
  findTemplate,
  keeperOf,
  launchWaiting,
  listMachines,
  listPools,
  listWaiting,
  machinesDirectory,
  makeTemplate,
  makeWaitingDirectory,
  memoryMiB,
  POOL_NIC,
  type PoolSettings,
  poolDirectory,
  readPool,
  sweepHeadStarts,
  sweepPool,
  type TemplateInputs,
  type TemplateSize,
  templateInputs,
  templateKey,
  writePool,
} from '../vm/index.ts';
import { vcpusFor } from './cpus.ts';
import { costOf } from './host-cost.ts';
import { REHEARSAL_DISKS, rehearseIn, writeRehearsal } from './rehearsal.ts';
import { sizeLimits } from './vm-resources.ts';

/** A pool as it is now. */
export interface PoolState extends PoolSettings {
  waiting: number;
  /** bytes of the host's memory that the waiting machines use (PSS) */
  memory: number;
}

/** The size of machine that options ask for. */
export function machineSize(options: { memory: number | undefined; cpus: number | undefined }): TemplateSize {
  return { vcpus: vcpusFor({ cpus: options.cpus }), memoryMiB: memoryMiB(options.memory) };
}

/** Has `wanted` machines of a size wait, and keeps it so: resolves when they do. POOL_FAILED, TEMPLATE_FAILED, UNSUPPORTED. */
export async function createPool(
  root: Root,
  size: TemplateSize,
  { engine: name, wanted }: { engine: EngineName; wanted: number },
): Promise<PoolState> {
  const { engine } = await chooseEngine(root, name);
  if (engine.engine !== 'qemu') {
    throw new HrunError('UNSUPPORTED', 'machines of the kvm engine do not wait: they start in milliseconds', {
      hint: 'hrun template create --engine kvm is all that they need',
    });
  }
  const pool = { version: 1, engine: 'qemu', ...size, wanted } as const;
  await writePool(root, pool);
  sweepHeadStarts(root, undefined); // what waits is better
  await fillPool(root, size, { wait: true });
  return poolState(root, pool);
}

/** Makes what a pool lacks of machines. Without `wait` it is left to whoever does so already. */
export async function fillPool(root: Root, size: TemplateSize, { wait }: { wait: boolean }): Promise<void> {
  const path = join(poolDirectory(root, size), 'lock');
  if (!existsSync(poolDirectory(root, size))) return;
  const lock: FileLock | null = wait
    ? await native().lockFile(path, { shared: false, wait: true })
    : native().lockFile(path, { shared: false, wait: false });
  if (!lock) return;
  try {
    const { engine } = await chooseEngine(root, 'qemu');
    const inputs = templateInputs(engine, findAssets(), { ...size, nic: POOL_NIC });
    await sweepPool(root, size, templateKey(inputs));
    await dropSurplus(root, inputs);
    while (isShort(root, inputs)) await addMachine(root, inputs);
  } finally {
    lock.release();
  }
}

function isShort(root: Root, inputs: TemplateInputs): boolean {
  const pool = readPool(root, inputs);
  return pool !== undefined && listWaiting(machinesOf(root, inputs)).length < pool.wanted;
}

async function dropSurplus(root: Root, inputs: TemplateInputs): Promise<void> {
  const wanted = readPool(root, inputs)?.wanted ?? 0;
  for (const id of listWaiting(machinesOf(root, inputs)).slice(wanted))
    await dismiss(join(machinesOf(root, inputs), id));
}

function machinesOf(root: Root, inputs: TemplateInputs): string {
  return machinesDirectory(root, inputs, templateKey(inputs) ?? '');
}

/** A template that turns out to be of no use is given up by who has tried it: with another it is tried once more. */
async function addMachine(root: Root, inputs: TemplateInputs): Promise<void> {
  try {
    await startWaiting(root, inputs);
  } catch (error) {
    if (findTemplate(root, inputs) !== undefined) throw error;
    await startWaiting(root, inputs);
  }
}

async function startWaiting(root: Root, inputs: TemplateInputs): Promise<void> {
  await makeTemplate(root, inputs, { wait: true, rehearse: rehearseIn(root) });
  const template = findTemplate(root, inputs);
  if (template === undefined)
    throw new HrunError('TEMPLATE_FAILED', 'there is no template to be copied', { hint: 'try again' });
  const id = newContainerId();
  const directory = await makeWaitingDirectory(machinesOf(root, inputs), id);
  try {
    const resources = sizeLimits(inputs, { engine: 'qemu', disks: REHEARSAL_DISKS });
    await writeRehearsal(root, directory, { id, inputs, resources });
    await launchWaiting(inputs.monitor, directory, template);
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

/** Ends the machines of a pool and forgets it; NO_SUCH_POOL. Containers that have begun in one go on. */
export async function removePool(root: Root, size: TemplateSize): Promise<void> {
  const directory = poolDirectory(root, size);
  if (!readPool(root, size)) throw noSuchPool(size);
  await rm(join(directory, 'pool.json'), { force: true }); // whoever fills it stops
  const lock = await native().lockFile(join(directory, 'lock'), { shared: false, wait: true });
  try {
    await sweepPool(root, size, undefined);
    await rm(directory, { recursive: true, force: true });
  } finally {
    lock.release();
  }
}

function noSuchPool({ vcpus, memoryMiB }: TemplateSize): HrunError {
  return new HrunError('NO_SUCH_POOL', `no such pool: ${vcpus} CPUs, ${memoryMiB} MiB`, {
    hint: 'see: hrun pool ls',
  });
}

/** Every pool, and what waits in it. */
export function poolStates(root: Root): PoolState[] {
  return listPools(root).map((pool) => poolState(root, pool));
}

function poolState(root: Root, pool: PoolSettings): PoolState {
  const keepers = listMachines(poolDirectory(root, pool)).map(keeperOf);
  const alive = keepers.filter((pid) => pid > 0);
  const { memoryBytes } = costOf(alive.flatMap(withDescendants));
  return { ...pool, waiting: alive.length, memory: memoryBytes };
}

/** proc_tid_children(5) */
function withDescendants(pid: number): number[] {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    const children = threads.flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1').trim().split(' ').filter(Boolean),
    );
    return [pid, ...children.flatMap((child) => withDescendants(Number(child)))];
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes(errnoOf(error) ?? '')) return [];
    throw error;
  }
}

/** Machines that were killed while they waited are harmless, and of no use. */
export async function checkPools(root: Root, findings: Findings): Promise<void> {
  for (const name of listDirectory(root.pool))
    for (const directory of listMachines(join(root.pool, name))) await checkMachine(directory, findings);
}

async function checkMachine(directory: string, findings: Findings): Promise<void> {
  if (keeperOf(directory) > 0 || !existsSync(directory)) return;
  const finding = {
    kind: 'note',
    where: directory,
    what: 'is of a machine that was killed while it waited',
    remedy: 'remove it',
  } as const;
  await findings.mendable(finding, async () => void (await dismiss(directory)));
}
