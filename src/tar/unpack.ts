// SPDX-License-Identifier: Apache-2.0
// Unpacks a hostile archive into a directory of the host, by Docker's rules for `docker cp`.
import { constants, lstatSync, mkdirSync, type Stats, unlinkSync } from 'node:fs';
import {
  chmod,
  chown,
  type FileHandle,
  lchown,
  link,
  lutimes,
  mkdir,
  open,
  symlink,
  utimes,
} from 'node:fs/promises';
import { posix } from 'node:path';
import { errnoOf, HrunError } from '../base/errors.ts';
import { native } from '../native/index.ts';
import { EntryType, nameBytes, type TarEntry } from './entry.ts';
import { type Content, readTar, type TarItem } from './reader.ts';
import { readSparseMap } from './sparse.ts';

export interface UnpackOptions {
  /** an existing directory, links in it resolved */
  directory: string;
  /** Where an entry goes below the directory; by default to its own name. */
  rename?(path: string): string;
  /** give files to the archive's owners, with set-user-ID bits and capabilities; else they are the caller's own */
  keepOwner: boolean;
  /** sees how many bytes of content came */
  progress?(bytes: number): void;
  /** something that cannot be made here was left out */
  leftOut?(what: string): void;
}

const SET_ID_BITS = 0o6000;
const CHUNK_BYTES = 1024 * 1024;

/**
 * Unpacks everything. No entry comes to lie outside of the directory: names cannot climb out of it, and no symbolic link is ever
 * followed, be it from the archive or there before. Throws BAD_ARCHIVE, or COPY_FAILED with the name.
 */
export async function unpackTar(chunks: AsyncIterable<Buffer>, options: UnpackOptions): Promise<void> {
  const unpacking: Unpacking = {
    ...options,
    root: Buffer.from(options.directory).toString('latin1'),
    times: [],
  };
  for await (const item of readTar(chunks)) {
    const path = cleanPath(options.rename?.(item.entry.path) ?? item.entry.path);
    if (path !== '') await naming(path, () => unpackEntry(unpacking, path, item));
  }
  for (const [path, time] of unpacking.times.reverse()) await setDirectoryTime(path, time);
}

interface Unpacking extends UnpackOptions {
  root: string;
  /** a directory's time is set last: what is put into it changes it */
  times: [path: string, mtime: number][];
}

/** The path below the destination, without "." and ".."; empty for the destination itself. */
function cleanPath(path: string): string {
  const clean = posix.normalize(path.startsWith('/') ? path : `./${path}`).replace(/^\/+|\/+$/g, '');
  if (clean === '..' || clean.startsWith('../')) {
    throw new HrunError('BAD_ARCHIVE', `the archive is refused: "${path}" is outside of the destination`);
  }
  return clean === '.' ? '' : clean;
}

async function naming(path: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof HrunError || errnoOf(error) === undefined) throw error;
    const reason = (error as Error).message.replace(/,? '.*$/s, '');
    throw new HrunError('COPY_FAILED', `cannot copy ${readable(path)}: ${reason}`, { cause: error });
  }
}

function readable(path: string): string {
  return nameBytes(path).toString('utf8');
}

async function unpackEntry(unpacking: Unpacking, path: string, { entry, content }: TarItem): Promise<void> {
  const target = `${unpacking.root}/${path}`;
  makeParents(unpacking.root, path);
  const isDirectory = entry.type === EntryType.DIRECTORY;
  const there = clearPlace(target, path, isDirectory);
  if (entry.type === EntryType.FILE) await makeFile(unpacking, target, entry, content);
  else if (isDirectory) await makeDirectory(unpacking, target, entry, there);
  else if (entry.type === EntryType.SYMBOLIC_LINK) await makeSymbolicLink(unpacking, target, entry);
  else if (entry.type === EntryType.HARD_LINK) await makeHardLink(unpacking, target, entry);
  else await makeNode(unpacking, target, entry);
}

/** Every directory on the way must be one, not a link to one; those that are missing are made. */
function makeParents(root: string, path: string): void {
  const parts = path.split('/').slice(0, -1);
  for (let count = 1; count <= parts.length; count++) {
    const parent = `${root}/${parts.slice(0, count).join('/')}`;
    const found = lstatIfThere(parent);
    if (!found) mkdirSync(nameBytes(parent), 0o755);
    else if (!found.isDirectory()) throw notADirectory(parts.slice(0, count).join('/'));
  }
}

function notADirectory(path: string): HrunError {
  return new HrunError('COPY_FAILED', `cannot copy into ${readable(path)}: it is not a directory`);
}

/** True when a directory is wanted and there. */
function clearPlace(target: string, path: string, isDirectory: boolean): boolean {
  const found = lstatIfThere(target);
  if (!found) return false;
  if (found.isDirectory() && isDirectory) return true;
  if (found.isDirectory() || isDirectory) {
    const [what, by] = isDirectory ? ['non-directory', 'directory'] : ['directory', 'non-directory'];
    throw new HrunError('COPY_FAILED', `cannot overwrite ${what} "${readable(path)}" with ${by}`);
  }
  unlinkSync(nameBytes(target));
  return false;
}

function lstatIfThere(path: string): Stats | undefined {
  try {
    return lstatSync(nameBytes(path));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function makeFile(
  unpacking: Unpacking,
  target: string,
  entry: TarEntry,
  content: Content,
): Promise<void> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  await using file = await open(nameBytes(target), flags, 0o600);
  await writeContent(unpacking, file, entry, content);
  if (unpacking.keepOwner) await file.chown(entry.uid, entry.gid);
  await file.chmod(modeOf(unpacking, entry));
  setXattrs(unpacking, target, entry);
  await file.utimes(Date.now() / 1000, entry.mtime);
}

async function writeContent(
  { progress }: Unpacking,
  file: FileHandle,
  { size, realSize }: TarEntry,
  content: Content,
): Promise<void> {
  const extents = realSize === undefined ? [[0, size] as const] : await readSparseMap(content, realSize);
  for (const [start, length] of extents) {
    for (let done = 0; done < length; ) {
      const piece = (await content.some(Math.min(CHUNK_BYTES, length - done)))!;
      await writeAll(file, piece, start + done);
      done += piece.length;
      progress?.(piece.length);
    }
  }
  if (realSize !== undefined) await file.truncate(realSize);
}

async function writeAll(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += (await file.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
  }
}

/** Set-user-ID of another owner means nothing of what it meant. */
function modeOf({ keepOwner }: Unpacking, { mode }: TarEntry): number {
  return keepOwner ? mode : mode & ~SET_ID_BITS;
}

async function makeDirectory(
  unpacking: Unpacking,
  target: string,
  entry: TarEntry,
  there: boolean,
): Promise<void> {
  const bytes = nameBytes(target);
  if (!there) await mkdir(bytes, 0o700);
  if (unpacking.keepOwner) await chown(bytes, entry.uid, entry.gid);
  // The caller must be able to put something into it.
  await chmod(bytes, modeOf(unpacking, entry) | (process.geteuid?.() === 0 ? 0 : 0o300));
  setXattrs(unpacking, target, entry);
  unpacking.times.push([target, entry.mtime]);
}

async function setDirectoryTime(path: string, mtime: number): Promise<void> {
  if (lstatIfThere(path)?.isDirectory()) await utimes(nameBytes(path), Date.now() / 1000, mtime);
}

async function makeSymbolicLink(unpacking: Unpacking, target: string, entry: TarEntry): Promise<void> {
  await symlink(nameBytes(entry.link), nameBytes(target));
  await finishNode(unpacking, target, entry);
}

async function finishNode({ keepOwner }: Unpacking, target: string, entry: TarEntry): Promise<void> {
  if (keepOwner) await lchown(nameBytes(target), entry.uid, entry.gid);
  await lutimes(nameBytes(target), Date.now() / 1000, entry.mtime);
}

/** To a plain file of the destination, by a way without links. */
async function makeHardLink(unpacking: Unpacking, target: string, entry: TarEntry): Promise<void> {
  const path = cleanPath(unpacking.rename?.(entry.link) ?? entry.link);
  const parts = path.split('/');
  for (let count = 1; count < parts.length; count++) {
    const parent = parts.slice(0, count).join('/');
    if (!lstatIfThere(`${unpacking.root}/${parent}`)?.isDirectory()) throw notADirectory(parent);
  }
  const existing = `${unpacking.root}/${path}`;
  if (!lstatIfThere(existing)?.isFile()) {
    throw new HrunError(
      'BAD_ARCHIVE',
      `the archive is damaged: a link to "${readable(path)}", which is no file`,
    );
  }
  await link(nameBytes(existing), nameBytes(target));
}

const NODE_TYPES: Readonly<Record<string, number>> = {
  [EntryType.FIFO]: constants.S_IFIFO,
  [EntryType.CHARACTER_DEVICE]: constants.S_IFCHR,
  [EntryType.BLOCK_DEVICE]: constants.S_IFBLK,
};

async function makeNode(unpacking: Unpacking, target: string, entry: TarEntry): Promise<void> {
  const type = NODE_TYPES[entry.type];
  if (type === undefined)
    throw new HrunError('BAD_ARCHIVE', `unhandled tar header type ${entry.type.charCodeAt(0)}`);
  // A device of the guest's choice, open to its owner, is a device of the host.
  if (entry.type !== EntryType.FIFO && !unpacking.keepOwner) {
    unpacking.leftOut?.(`the device ${readable(entry.path)} is left out: only -a copies devices`);
    return;
  }
  native().makeNode(nameBytes(target), type | (entry.mode & 0o777), entry.major, entry.minor);
  await finishNode(unpacking, target, entry);
}

/** Only what is no privilege, unless the owner is kept too; a file system that has none goes without. */
function setXattrs({ keepOwner }: Unpacking, target: string, { xattrs }: TarEntry): void {
  for (const [name, value] of xattrs) {
    if (!name.startsWith('user.') && !(keepOwner && name === 'security.capability')) continue;
    try {
      native().setXattr(nameBytes(target), name, value);
    } catch (error) {
      if (!['EOPNOTSUPP', 'ENOTSUP', 'EPERM'].includes(errnoOf(error) ?? '')) throw error;
    }
  }
}
