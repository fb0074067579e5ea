// SPDX-License-Identifier: Apache-2.0
import { lstat, readlink, realpath, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { errnoOf, HrunError } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import { recordContainer } from '../container/index.ts';
import { Archive, archiveOutput } from '../guest/index.ts';
import { unpackTar } from '../tar/index.ts';
import { type ContainerFile, containerPath, statInContainer } from './container-files.ts';
import { archiveName, assertsDirectory, planCopy } from './copy-rules.ts';
import { openContainer } from './open-container.ts';
import { type Guest, openGuest } from './service-vm.ts';

export interface CopyOutOptions {
  /** keep owners, set-user-ID bits and devices */
  archive: boolean;
  /** a symbolic link at the source is followed */
  followLink: boolean;
  progress?(bytes: number): void;
  leftOut?(what: string): void;
}

/** Copies from a container to a path of the host, as `docker cp`. NO_SUCH_CONTAINER, NO_SUCH_FILE, COPY_FAILED. */
export async function copyFromContainer(
  root: Root,
  source: { container: string; path: string },
  target: string,
  options: CopyOutOptions,
): Promise<void> {
  const path = absolute(target);
  await requireParent(path);
  const container = await openContainer(root, source.container);
  await using guest = await openGuest(container);
  const found = await findSource(guest, source, options.followLink);
  recordContainer(root, container.config, 'archive-path');
  const destination = await findDestination(path);
  const plan = planCopy(found.file, destination);
  const rename =
    plan.name === undefined ? undefined : renaming(found.name, Buffer.from(plan.name).toString('latin1'));
  await unpackTar(archiveOutput(await guest.connect(), archiveRequest(found)), {
    directory: await realpath(plan.directory),
    keepOwner: options.archive && process.geteuid?.() === 0,
    ...(rename && { rename }),
    ...(options.progress && { progress: options.progress }),
    ...(options.leftOut && { leftOut: options.leftOut }),
  });
}

/** The same as a tar archive through `sink`, which takes its bytes in order. */
export async function archiveFromContainer(
  root: Root,
  source: { container: string; path: string },
  options: Pick<CopyOutOptions, 'followLink'>,
  sink: (bytes: Buffer) => void,
): Promise<void> {
  const container = await openContainer(root, source.container);
  await using guest = await openGuest(container);
  const found = await findSource(guest, source, options.followLink);
  recordContainer(root, container.config, 'archive-path');
  for await (const piece of archiveOutput(await guest.connect(), archiveRequest(found))) sink(piece);
}

interface Source {
  path: string;
  /** of its top entry in the archive */
  name: string;
  file: ContainerFile;
}

async function findSource(
  guest: Guest,
  { container, path: text }: { container: string; path: string },
  followLink: boolean,
): Promise<Source> {
  const path = containerPath(text);
  const found = await statInContainer(guest, path);
  const followed = followLink ? found?.resolved : undefined;
  const file = followed === undefined ? found : await statInContainer(guest, followed);
  if (!file) {
    throw new HrunError('NO_SUCH_FILE', `could not find the file ${text} in container ${container}`);
  }
  return { path: followed ?? path, name: archiveName(path), file };
}

function archiveRequest({ path, name }: Source) {
  return { operation: Archive.GET, args: [path, name === '/' ? '.' : name] };
}

/** A trailing slash says that a directory is meant, so it stays. */
function absolute(target: string): string {
  const path = resolve(target);
  return assertsDirectory(target) && path !== '/' ? `${path}/` : path;
}

async function requireParent(path: string): Promise<void> {
  const parent = dirname(path);
  if (
    await stat(parent).then(
      (found) => found.isDirectory(),
      () => false,
    )
  )
    return;
  throw new HrunError('NO_SUCH_FILE', `invalid output path: directory "${parent}" does not exist`);
}

const MAX_LINKS = 40;

/** Symbolic links at the destination are followed: what they lead to is replaced, not they. */
async function findDestination(
  path: string,
): Promise<{ path: string; exists: boolean; isDirectory: boolean }> {
  let at = path;
  for (let links = 0; links < MAX_LINKS; links++) {
    const bare = at.replace(/(.)\/$/, '$1');
    const found = await lstat(bare).catch(ifMissing);
    if (!found) return { path: at, exists: false, isDirectory: false };
    if (!found.isSymbolicLink()) return { path: at, exists: true, isDirectory: found.isDirectory() };
    const link = await readlink(bare);
    at = isAbsolute(link) ? link : join(await realpath(dirname(bare)), link);
  }
  throw new HrunError('COPY_FAILED', `too many symlinks in ${path}`);
}

function ifMissing(error: unknown): undefined {
  if (errnoOf(error) === 'ENOENT') return undefined;
  throw error;
}

/** The top entry and all below it get another name. */
function renaming(from: string, to: string): (path: string) => string {
  const old = Buffer.from(from === '/' ? '.' : from).toString('latin1');
  return (path) => {
    const rest = path === old || path.startsWith(`${old}/`) ? path.slice(old.length) : undefined;
    if (rest === undefined)
      throw new HrunError('BAD_ARCHIVE', 'the guest sent files that were not asked for');
    return `${to}${rest}`;
  };
}
