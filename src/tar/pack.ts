// SPDX-License-Identifier: Apache-2.0
// A file or tree of the host as a pax archive.
import { constants, type Dirent, lstatSync, readlinkSync, type Stats, statSync } from 'node:fs';
import { type FileHandle, open, opendir } from 'node:fs/promises';
import { errnoOf } from '../base/errors.ts';
import { native } from '../native/index.ts';
import { EntryType, nameBytes } from './entry.ts';
import { BLOCK, checksum, padding, writeNumber } from './header.ts';
import { sparseMapText } from './sparse.ts';

export interface PackOptions {
  /** what the file is called in the archive: "." for a directory's content */
  name: string;
  /** a symbolic link at the path itself is followed */
  follow: boolean;
  /** sees how many bytes of content went */
  progress?(bytes: number): void;
}

const CHUNK_BYTES = 256 * 1024;
/** bytes of hole that are worth a map */
const SPARSE_WORTH_IT = 1024 * 1024;

/** The bytes of an archive of the file at `path` and everything below it. Sockets are left out. */
export async function* packTree(path: string, options: PackOptions): AsyncGenerator<Buffer> {
  const packing: Packing = { links: new Map(), progress: options.progress };
  const bytes = Buffer.from(path).toString('latin1');
  const status = options.follow ? statSync(path) : lstatSync(path);
  yield* packEntry(packing, bytes, Buffer.from(options.name).toString('latin1'), status);
  yield Buffer.alloc(2 * BLOCK);
}

interface Packing {
  /** the first name of each file with several */
  links: Map<string, string>;
  progress: ((bytes: number) => void) | undefined;
}

async function* packEntry(
  packing: Packing,
  path: string,
  name: string,
  status: Stats,
): AsyncGenerator<Buffer> {
  if (status.isDirectory()) yield* packDirectory(packing, path, name, status);
  else if (status.isFile()) yield* packFile(packing, path, name, status);
  else if (status.isSymbolicLink()) {
    const link = readlinkSync(nameBytes(path), { encoding: 'buffer' }).toString('latin1');
    yield* header(path, status, { name, type: EntryType.SYMBOLIC_LINK, link });
  } else if (status.isFIFO()) yield* header(path, status, { name, type: EntryType.FIFO });
  else if (status.isCharacterDevice())
    yield* header(path, status, { name, type: EntryType.CHARACTER_DEVICE });
  else if (status.isBlockDevice()) yield* header(path, status, { name, type: EntryType.BLOCK_DEVICE });
}

async function* packDirectory(
  packing: Packing,
  path: string,
  name: string,
  status: Stats,
): AsyncGenerator<Buffer> {
  yield* header(path, status, { name: `${name}/`, type: EntryType.DIRECTORY });
  const directory = await opendir(nameBytes(path) as unknown as string, {
    encoding: 'latin1' as BufferEncoding,
  });
  for await (const { name: child } of directory as AsyncIterable<Dirent>) {
    const childPath = `${path}/${child}`;
    const found = lstatIfThere(childPath);
    if (found) yield* packEntry(packing, childPath, `${name}/${child}`, found);
  }
}

/** What was removed meanwhile was not there. */
function lstatIfThere(path: string): Stats | undefined {
  try {
    return lstatSync(nameBytes(path));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function* packFile(
  packing: Packing,
  path: string,
  name: string,
  status: Stats,
): AsyncGenerator<Buffer> {
  const key = `${status.dev}:${status.ino}`;
  const first = status.nlink > 1 ? packing.links.get(key) : undefined;
  if (first !== undefined) {
    yield* header(path, status, { name, type: EntryType.HARD_LINK, link: first });
    return;
  }
  if (status.nlink > 1) packing.links.set(key, name);
  await using file = await open(nameBytes(path), constants.O_RDONLY | constants.O_NOFOLLOW);
  const now = await file.stat();
  const extents =
    now.blocks * 512 + SPARSE_WORTH_IT < now.size ? native().dataExtents(file.fd, now.size) : [];
  const data = extents.reduce((sum, [, length]) => sum + length, 0);
  if (now.blocks * 512 + SPARSE_WORTH_IT >= now.size || data + SPARSE_WORTH_IT > now.size) {
    yield* header(path, now, { name, type: EntryType.FILE, size: now.size });
    yield* range(packing, file, 0, now.size);
    yield padding(now.size);
    return;
  }
  const map = sparseMapText(extents, now.size);
  yield* header(path, now, { name, type: EntryType.FILE, size: map.length + data, realSize: now.size });
  yield map;
  for (const [start, length] of extents) yield* range(packing, file, start, length);
  yield padding(map.length + data);
}

/** Exactly `length` bytes, whatever becomes of the file meanwhile: what it lost is zeros. */
async function* range(
  { progress }: Packing,
  file: FileHandle,
  start: number,
  length: number,
): AsyncGenerator<Buffer> {
  for (let done = 0; done < length; ) {
    const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, length - done));
    const { bytesRead } = await file.read(chunk, 0, chunk.length, start + done);
    const piece = bytesRead > 0 ? chunk.subarray(0, bytesRead) : chunk;
    progress?.(piece.length);
    yield piece;
    done += piece.length;
  }
}

interface HeaderFields {
  name: string;
  type: string;
  link?: string;
  size?: number;
  /** of a sparse file */
  realSize?: number;
}

const NAME_BYTES = 100;

/** The blocks of an entry's header, with a pax header before it when ustar has no room for something. */
function* header(path: string, status: Stats, fields: HeaderFields): Generator<Buffer> {
  const { name, type, link = '', size = 0 } = fields;
  const isSparse = fields.realSize !== undefined;
  const records = [...nameRecords(name, link), ...(isSparse ? sparseRecords(name, fields.realSize!) : [])];
  if (type !== EntryType.HARD_LINK) records.push(...xattrRecords(path));
  if (records.length > 0) {
    const body = Buffer.concat(records);
    yield block('PaxHeaders/entry', 'x', '', { mode: 0o644, size: body.length });
    yield body;
    yield padding(body.length);
  }
  const written = isSparse ? name.replace(/[^/]*$/, (last) => `GNUSparseFile.0/${last}`) : name;
  const device = type === EntryType.CHARACTER_DEVICE || type === EntryType.BLOCK_DEVICE ? status.rdev : 0;
  yield block(written, type, link, {
    ...{ mode: status.mode & 0o7777, uid: status.uid, gid: status.gid, size, device },
    mtime: Math.max(0, Math.floor(status.mtimeMs / 1000)),
  });
}

function nameRecords(name: string, link: string): Buffer[] {
  return [
    ...(name.length > NAME_BYTES ? [record('path', nameBytes(name))] : []),
    ...(link.length > NAME_BYTES ? [record('linkpath', nameBytes(link))] : []),
  ];
}

function sparseRecords(name: string, realSize: number): Buffer[] {
  const values = { major: '1', minor: '0', name, realsize: String(realSize) };
  return Object.entries(values).map(([key, value]) => record(`GNU.sparse.${key}`, nameBytes(value)));
}

function xattrRecords(path: string): Buffer[] {
  return native()
    .readXattrs(nameBytes(path))
    .filter(({ name }) => name.startsWith('user.') || name === 'security.capability')
    .map(({ name, value }) => record(`SCHILY.xattr.${name}`, value));
}

/** "LENGTH KEY=VALUE\n"; the length counts its own digits. */
function record(key: string, value: Buffer): Buffer {
  const rest = Buffer.byteLength(key) + value.length + 3;
  const digits = String(rest + String(rest).length).length;
  return Buffer.concat([Buffer.from(`${rest + digits} ${key}=`), value, Buffer.from('\n')]);
}

interface Numbers {
  mode: number;
  size: number;
  uid?: number;
  gid?: number;
  mtime?: number;
  device?: number;
}

/** gnu_dev_major and gnu_dev_minor of glibc, for device numbers up to 32 bits */
const majorOf = (device: number) => (device >>> 8) & 0xfff;
const minorOf = (device: number) => (device & 0xff) | ((device >>> 12) & 0xfff00);

function block(name: string, type: string, link: string, numbers: Numbers): Buffer {
  const bytes = Buffer.alloc(BLOCK);
  const { mode, size, uid = 0, gid = 0, mtime = 0, device = 0 } = numbers;
  bytes.write(name, 0, NAME_BYTES, 'latin1');
  const fields = [
    [100, 108, mode],
    [108, 116, uid],
    [116, 124, gid],
    [124, 136, size],
    [136, 148, mtime],
  ] as const;
  for (const [start, end, value] of fields) writeNumber(bytes.subarray(start, end), value);
  bytes.write(type, 156, 'latin1');
  bytes.write(link, 157, NAME_BYTES, 'latin1');
  bytes.write('ustar\x0000', 257, 'latin1');
  writeNumber(bytes.subarray(329, 337), majorOf(device));
  writeNumber(bytes.subarray(337, 345), minorOf(device));
  bytes.write(`${checksum(bytes).toString(8).padStart(6, '0')}\0 `, 148);
  return bytes;
}
