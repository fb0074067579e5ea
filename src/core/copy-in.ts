// SPDX-License-Identifier: Apache-2.0
import { lstat, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { errnoOf, HrunError } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import { recordContainer } from '../container/index.ts';
import { Archive, archiveInput } from '../guest/index.ts';
import { unpackedStream } from '../image/index.ts';
import { packTree } from '../tar/index.ts';
import { containerPath, statInContainer } from './container-files.ts';
import { archiveName, assertsDirectory, planCopy } from './copy-rules.ts';
import { type KnownContainer, openContainer } from './open-container.ts';
import { type Guest, openGuest } from './service-vm.ts';

export interface CopyInOptions {
  /** what is copied belongs to the container's user; else to the numbers that it has on the host */
  archive: boolean;
  /** a symbolic link at the source is followed */
  followLink: boolean;
  progress?(bytes: number): void;
}

interface Target {
  container: string;
  path: string;
}

/** Copies a path of the host into a container, as `docker cp`. NO_SUCH_CONTAINER, NO_SUCH_FILE, COPY_FAILED. */
export async function copyToContainer(
  root: Root,
  source: string,
  target: Target,
  options: CopyInOptions,
): Promise<void> {
  const isDirectory = await isSourceDirectory(source, options.followLink);
  const container = await openContainer(root, target.container);
  await using guest = await openGuest(container);
  const destination = await findDestination(guest, target);
  const { directory, name } = planCopy({ isDirectory }, destination);
  const chunks = packTree(resolve(source), {
    name: name ?? archiveName(assertsDot(source) ? '/.' : resolve(source)),
    follow: options.followLink || assertsDirectory(source),
    ...(options.progress && { progress: options.progress }),
  });
  await put(guest, container, { directory, archive: options.archive, target }, chunks);
  recordContainer(root, container.config, 'extract-to-dir');
}

/** Unpacks a tar archive, plain or packed with gzip or zstd, into a directory of a container. */
export async function archiveToContainer(
  root: Root,
  chunks: AsyncIterable<Buffer>,
  target: Target,
  options: Pick<CopyInOptions, 'archive'>,
): Promise<void> {
  const container = await openContainer(root, target.container);
  await using guest = await openGuest(container);
  const { path: directory, isDirectory } = await findDestination(guest, target);
  if (!isDirectory) {
    throw new HrunError(
      'COPY_FAILED',
      `destination "${target.container}:${target.path}" must be a directory`,
    );
  }
  await put(
    guest,
    container,
    { directory, archive: options.archive, target },
    await unpackedStream(chunks, 'the archive'),
  );
  recordContainer(root, container.config, 'extract-to-dir');
}

async function put(
  guest: Guest,
  { config }: KnownContainer,
  { directory, archive, target }: { directory: string; archive: boolean; target: Target },
  chunks: AsyncIterable<Buffer>,
): Promise<void> {
  const user = archive && config.process.user ? config.process.user : undefined;
  try {
    await archiveInput(await guest.connect(), { operation: Archive.PUT, args: [directory], user }, chunks);
  } catch (error) {
    if (!(error instanceof HrunError) || error.code !== 'NO_SUCH_FILE') throw error;
    const message = `could not find the file ${directory} in container ${target.container}`;
    throw new HrunError('NO_SUCH_FILE', message, { cause: error });
  }
}

const assertsDot = (path: string) => /(?:^|\/)\.$/.test(path);

async function isSourceDirectory(source: string, followLink: boolean): Promise<boolean> {
  const directory = assertsDirectory(source);
  try {
    const found = await (followLink || directory ? stat(source) : lstat(source));
    if (found.isDirectory() || !directory) return found.isDirectory();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT')
      throw new HrunError('NO_SUCH_FILE', `lstat ${source}: no such file or directory`);
    if (errnoOf(error) !== 'ENOTDIR') throw error;
  }
  throw new HrunError('COPY_FAILED', `${source}: not a directory`);
}

/** A symbolic link at the destination is followed: what it leads to is replaced, not it. */
async function findDestination(guest: Guest, { container, path: text }: Target) {
  const path = containerPath(text);
  const found = await statInContainer(guest, path);
  const at = found?.resolved ?? path;
  const file = found?.resolved === undefined ? found : await statInContainer(guest, found.resolved);
  if (file && !file.isDirectory && !file.isFile) {
    const message = `destination "${container}:${text}" must be a directory or a regular file`;
    throw new HrunError('COPY_FAILED', message);
  }
  return { path: at, exists: file !== undefined, isDirectory: file?.isDirectory ?? false };
}
