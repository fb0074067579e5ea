// SPDX-License-Identifier: Apache-2.0
// pool/<vCPUs>-<MiB>/: machines of one size that wait for a container, and how many there are to be. docs/pool.md.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeFileAtomic } from '../base/atomic-file.ts';
import { listDirectory, makeDirectory } from '../base/directory.ts';
import { errnoOf, HrunError, hasCode } from '../base/errors.ts';
import { isNoRegularFile, readRegularFile } from '../base/regular-file.ts';
import type { Root } from '../base/root.ts';
import { settingsPath } from '../base/settings.ts';
import { isHeld } from './held.ts';
import { monitorLastWords, openMonitorLog } from './monitor.ts';
import { connectIn } from './socket.ts';
import type { TemplateSize } from './template.ts';

/** pool.json */
export interface PoolSettings extends TemplateSize {
  version: 1;
  engine: 'qemu';
  /** machines that are to wait */
  wanted: number;
}

/** Whether machines that wait have an interface: they do for any container, so its own comes with it. */
export const POOL_NIC = false;

const SETTINGS = 'pool.json';
/** native/monitor/pool_place.h */
const MAKING = '.making';
const GOING = '.going';
/** in a machine's settings, which the machine cannot write */
const KEEPER = 'keeper';
const ID = /^[0-9a-f]{64}$/;
const LOOK_AGAIN_MS = 10;
const GONE_LIMIT_MS = 10_000;

/** Of the machines of a size. */
export function poolDirectory(root: Root, { vcpus, memoryMiB }: TemplateSize): string {
  return join(root.pool, `${vcpus}-${memoryMiB}`);
}

/** Of those that are copies of the template of that name: others are of no use any more. */
export function machinesDirectory(root: Root, size: TemplateSize, templateKey: string): string {
  return join(poolDirectory(root, size), templateKey);
}

/** Undefined when there is no such pool. */
export function readPool(root: Root, size: TemplateSize): PoolSettings | undefined {
  return readSettings(poolDirectory(root, size));
}

/** All pools, by size. */
export function listPools(root: Root): PoolSettings[] {
  const pools = listDirectory(root.pool).flatMap((name) => readSettings(join(root.pool, name)) ?? []);
  return pools.sort((a, b) => a.memoryMiB - b.memoryMiB || a.vcpus - b.vcpus);
}

export async function writePool(root: Root, pool: PoolSettings): Promise<void> {
  const directory = poolDirectory(root, pool);
  await makeDirectory(directory, 0o700);
  await writeFileAtomic(join(directory, SETTINGS), JSON.stringify(pool), { mode: 0o600 });
}

function readSettings(directory: string): PoolSettings | undefined {
  try {
    return JSON.parse(readRegularFile(join(directory, SETTINGS))) as PoolSettings;
  } catch (error) {
    if (error instanceof SyntaxError || isNoRegularFile(error)) return undefined;
    throw error;
  }
}

/** The ids of the machines that are ready in a directory of machines; the processes of some may have been killed. */
export function listWaiting(directory: string): string[] {
  return listDirectory(directory).filter((name) => ID.test(name));
}

/** The directories of all machines that are ready in the directory of a pool, copies of whatever template. */
export function listMachines(pool: string): string[] {
  const ofTemplates = listDirectory(pool).filter((key) => ID.test(key));
  return ofTemplates.flatMap((key) => listWaiting(join(pool, key)).map((id) => join(pool, key, id)));
}

/** The directory of a machine that is to be made, in which nothing is but room for settings. */
export async function makeWaitingDirectory(machines: string, id: string): Promise<string> {
  await makeDirectory(machines, 0o700);
  const directory = join(machines, `${id}${MAKING}`);
  mkdirSync(settingsPath(directory), { recursive: true, mode: 0o700 });
  return directory;
}

/** Starts the machine whose settings are in such a directory, and resolves when it waits; POOL_FAILED. It outlives this process. */
export async function launchWaiting(program: string, directory: string, template: string): Promise<void> {
  const keeper = spawnKeeper(program, template, directory);
  let failed = false;
  keeper.once('error', () => {
    failed = true;
  });
  while (existsSync(directory)) {
    if (failed || keeper.exitCode !== null || keeper.signalCode !== null) {
      throw new HrunError('POOL_FAILED', `no machine waits: ${monitorLastWords(directory)}`, {
        hint: 'see: hrun doctor',
      });
    }
    await sleep(LOOK_AGAIN_MS);
  }
  keeper.unref();
}

function spawnKeeper(program: string, template: string, directory: string): ChildProcess {
  const log = openMonitorLog(directory);
  try {
    const words = ['--pool', '--from', template, directory];
    const child = spawn(program, words, {
      ...{ cwd: '/', detached: true, env: {}, stdio: ['ignore', 'ignore', log] },
    });
    if (child.pid !== undefined) writeFileSync(settingsPath(directory, KEEPER), String(child.pid));
    return child;
  } finally {
    closeSync(log);
  }
}

/** The keeper of the machine in a directory; 0 when it has none that lives. */
export function keeperOf(directory: string): number {
  try {
    if (!isHeld(directory)) return 0;
    const pid = Number(readFileSync(settingsPath(directory, KEEPER), 'latin1'));
    const words = readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0');
    return words.includes('--pool') ? pid : 0;
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes(errnoOf(error) ?? '')) return 0;
    throw error;
  }
}

/** Connects to the machine whose directory has been taken; undefined when it has been killed. What is written begins its container. */
export async function connectWaiting(directory: string): Promise<Socket | undefined> {
  try {
    return await connectIn(directory, 'control.sock');
  } catch (error) {
    if (hasCode(error, 'CONTAINER_STATE') || errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Takes away what a machine had for its rehearsal. */
export function emptySettings(directory: string): void {
  const settings = settingsPath(directory);
  for (const name of readdirSync(settings)) rmSync(join(settings, name));
}

/** Ends a machine that waits, or is about to, and removes its directory: as whoever takes one, and then lets it down. False when it has been taken. */
export async function dismiss(directory: string): Promise<boolean> {
  const going = `${directory}${GOING}`;
  try {
    await rename(directory, going);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
  await end(going);
  return true;
}

async function end(directory: string): Promise<void> {
  const socket = await connectWaiting(directory);
  socket?.on('error', () => {});
  socket?.destroy();
  const deadline = Date.now() + GONE_LIMIT_MS;
  while (isHeld(directory) && Date.now() < deadline) await sleep(LOOK_AGAIN_MS);
  await rm(directory, { recursive: true, force: true });
}

/** Removes the machines of other templates than the one of that name, and what killed ones have left. Only by whoever fills the pool. */
export async function sweepPool(
  root: Root,
  size: TemplateSize,
  templateKey: string | undefined,
): Promise<void> {
  const pool = poolDirectory(root, size);
  for (const key of listDirectory(pool).filter((name) => ID.test(name))) {
    const machines = join(pool, key);
    for (const name of listDirectory(machines)) {
      const path = join(machines, name);
      if (name.endsWith(GOING)) await end(path);
      else if (key !== templateKey || !ID.test(name) || !isHeld(path)) await dismiss(path);
    }
    if (key !== templateKey) await rm(machines, { recursive: true, force: true });
  }
}
