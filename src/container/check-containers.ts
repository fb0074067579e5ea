// SPDX-License-Identifier: Apache-2.0
// hrun system check, the containers: docs/store.md, "Checking the store".
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  renameSync,
  type Stats,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { syncDirectory, writeFileAtomic } from '../base/atomic-file.ts';
import { errnoOf, HrunError } from '../base/errors.ts';
import type { Findings } from '../base/finding.ts';
import { isNoRegularFile, readRegularFile } from '../base/regular-file.ts';
import type { Root } from '../base/root.ts';
import { settingsPath } from '../base/settings.ts';
import { type FileLock, native } from '../native/index.ts';
import { type ContainerConfig, isProbed, readContainerConfig } from './container-config.ts';
import { CREATED, isStateDamaged, STATE_FILE } from './container-state.ts';
import { containerDirectory, listContainerIds } from './directory.ts';
import { shortId } from './id.ts';
import { listNames, releaseName } from './names.ts';
import { checkNames } from './names-check.ts';

/**
 * Looks at every container and every name. Other commands may run: what looks wrong is looked at again under the locks.
 * `dangling` are the names that led nowhere a while ago.
 */
export async function checkContainers(
  root: Root,
  dangling: readonly string[],
  findings: Findings,
): Promise<void> {
  if (!existsSync(root.containers)) return;
  for (const directory of [root.containers, root.tmp]) await checkMode(root, directory, findings);
  for (const id of listContainerIds(root)) {
    if (!looksWrong(root, id)) continue;
    const making = await native().lockFile(join(root.containers, 'lock'), { shared: false, wait: true });
    try {
      if (looksWrong(root, id)) await checkContainer(root, id, findings);
    } finally {
      making.release();
    }
  }
  await checkNames(root, dangling, findings);
}

/** Files that each container has, beside config.json and state.json; probe.bin only one that is probed. */
const DISK = 'writable.ext4';
const SETTINGS = ['vm.json', 'configure.bin', 'start.bin'];

/** False for one that is half-made or being removed: it has no state.json. */
function looksWrong(root: Root, id: string): boolean {
  const directory = containerDirectory(root, id);
  const stat = statIfThere(directory);
  if (!stat || !existsSync(join(directory, STATE_FILE))) return false;
  const config = readConfig(directory, id);
  if (isStateDamaged(directory) || !config || missingFile(directory, config) !== undefined) {
    return existsSync(join(directory, STATE_FILE)); // not removed while we looked
  }
  return isOpen(stat) || !hasOwner(root, stat);
}

async function checkContainer(root: Root, id: string, findings: Findings): Promise<void> {
  const directory = containerDirectory(root, id);
  const where = `container ${shortId(id)}`;
  await checkMode(root, directory, findings);
  const config = readConfig(directory, id);
  if (!config) return await setAside(root, id, findings);
  if (isStateDamaged(directory)) await rewriteState(directory, where, findings);
  const missing = missingFile(directory, config);
  if (missing === undefined) return;
  const remedy = existsSync(join(directory, DISK))
    ? `its disk is ${join(directory, DISK)}; remove the container when you need nothing of it`
    : 'remove the container';
  findings.left({
    kind: 'damage',
    where,
    what: `${missing} is missing or damaged: it cannot be started`,
    remedy,
  });
}

/** What it was made of is lost, what it wrote is not: nothing is deleted. */
async function setAside(root: Root, id: string, findings: Findings): Promise<void> {
  const directory = containerDirectory(root, id);
  const target = join(root.dir, 'damaged', `container-${id}`);
  const finding = {
    kind: 'damage',
    where: `container ${shortId(id)}`,
    what: 'config.json is missing or damaged',
  } as const;
  const lock = tryLock(directory);
  if (!lock)
    return findings.left({
      ...finding,
      remedy: 'it runs: copy out what you need, then stop it and check again',
    });
  try {
    await findings.mendable({ ...finding, remedy: `move it to ${target}, with its disk` }, async () => {
      mkdirSync(join(root.dir, 'damaged'), { recursive: true, mode: 0o700 });
      renameSync(directory, target);
      await syncDirectory(root.containers);
      await syncDirectory(join(root.dir, 'damaged'));
      for (const name of listNames(root)) await releaseName(root, name, id);
    });
  } finally {
    lock.release();
  }
}

/** as ErrorKind.VM of the agent protocol */
const VM_ERROR = 8;
const UNKNOWN_EXIT_CODE = 255;

async function rewriteState(directory: string, where: string, findings: Findings): Promise<void> {
  const finding = { kind: 'damage', where, what: 'state.json is damaged' } as const;
  const lock = tryLock(directory);
  if (!lock) return findings.left({ ...finding, remedy: 'none is needed: its monitor writes it anew' });
  const error = { kind: VM_ERROR, message: 'how it ended is not known: state.json was damaged' };
  const state = {
    ...CREATED,
    status: 'exited',
    exitCode: UNKNOWN_EXIT_CODE,
    finishedAt: new Date().toISOString(),
    error,
  };
  try {
    await findings.mendable({ ...finding, remedy: 'note it as exited with 255' }, () =>
      writeFileAtomic(join(directory, STATE_FILE), JSON.stringify(state), { mode: 0o600 }),
    );
  } finally {
    lock.release();
  }
}

/** Containers are as private as what they hold: others get in by no directory of theirs. */
async function checkMode(root: Root, directory: string, findings: Findings): Promise<void> {
  const stat = statIfThere(directory);
  if (!stat) return;
  if (isOpen(stat)) {
    const what = `its mode ${(stat.mode & 0o777).toString(8)} lets other users in`;
    await findings.mendable({ kind: 'damage', where: directory, what, remedy: 'set mode 700' }, () =>
      chmodSync(directory, 0o700),
    );
  }
  if (hasOwner(root, stat)) return;
  const { uid, gid } = statSync(root.dir);
  const what = `belongs to user ${stat.uid}, the store to ${uid}`;
  await findings.mendable({ kind: 'damage', where: directory, what, remedy: `give it to user ${uid}` }, () =>
    chownSync(directory, uid, gid),
  );
}

function isOpen({ mode }: Stats): boolean {
  return (mode & 0o077) !== 0;
}

function hasOwner(root: Root, { uid }: Stats): boolean {
  return uid === statSync(root.dir).uid;
}

function missingFile(directory: string, { healthcheck }: ContainerConfig): string | undefined {
  const settings = [...SETTINGS, ...(isProbed(healthcheck) ? ['probe.bin'] : [])];
  const damaged = settings.find((file) => {
    const path = settingsPath(directory, file);
    return isEmpty(path) || (file === 'vm.json' && !isJson(path));
  });
  return damaged ?? (isEmpty(join(directory, DISK)) ? DISK : undefined);
}

function isEmpty(path: string): boolean {
  const stat = statIfThere(path);
  return !stat?.isFile() || stat.size === 0;
}

function isJson(path: string): boolean {
  try {
    return typeof JSON.parse(readRegularFile(path)) === 'object';
  } catch (error) {
    if (error instanceof SyntaxError || isNoRegularFile(error)) return false;
    throw error;
  }
}

function readConfig(directory: string, id: string): ContainerConfig | undefined {
  try {
    const config = readContainerConfig(directory);
    return config.id === id ? config : undefined;
  } catch (error) {
    if (error instanceof HrunError || errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function statIfThere(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

function tryLock(directory: string): FileLock | null {
  return native().lockFile(join(directory, 'lock'), { shared: false, wait: false });
}
