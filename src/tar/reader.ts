// SPDX-License-Identifier: Apache-2.0
// Reads a pax archive as the agent writes it (initrd/tar_writer.c). The archive is hostile.
import { HrunError } from '../base/errors.ts';
import { ByteSource, cutShort } from './byte-source.ts';
import type { TarEntry } from './entry.ts';
import { BLOCK, checksum, parseNumber } from './header.ts';

const MAX_EXTENSION_BYTES = 1024 * 1024;
const XATTR_PREFIX = 'SCHILY.xattr.';

/** An entry with its content, which is to be taken before the next entry is asked for; what is left is passed over. */
export interface TarItem {
  entry: TarEntry;
  content: Content;
}

/** The content of one entry. */
export class Content {
  readonly #source: ByteSource;
  #left: number;

  constructor(source: ByteSource, size: number) {
    this.#source = source;
    this.#left = size;
  }

  /** bytes that were not taken yet */
  get left(): number {
    return this.#left;
  }

  /** From 1 to `most` bytes; undefined at its end. */
  async some(most: number): Promise<Buffer | undefined> {
    if (this.#left === 0) return undefined;
    const part = await this.#source.some(Math.min(most, this.#left));
    if (!part) throw cutShort();
    this.#left -= part.length;
    return part;
  }

  /** Exactly `length` bytes. */
  async take(length: number): Promise<Buffer> {
    const bytes = length <= this.#left ? await this.#source.take(length) : undefined;
    if (!bytes) throw cutShort();
    this.#left -= length;
    return bytes;
  }
}

/** The entries of an archive. Throws BAD_ARCHIVE. */
export async function* readTar(chunks: AsyncIterable<Buffer>): AsyncGenerator<TarItem> {
  const source = new ByteSource(chunks);
  try {
    let records = new Map<string, Buffer>();
    for (let block = await source.take(BLOCK); block && !isZero(block); block = await source.take(BLOCK)) {
      const header = parseBlock(block);
      if (header.type === 'x') {
        records = parseRecords(await takeExtension(source, header.size));
        continue;
      }
      const entry = withRecords(header, records);
      records = new Map();
      const size = entry.type === '0' ? entry.size : 0;
      const content = new Content(source, size);
      yield { entry, content };
      while (await content.some(Number.MAX_SAFE_INTEGER));
      await skipPadding(source, size);
    }
    await source.drain();
  } finally {
    await source.close();
  }
}

function isZero(block: Buffer): boolean {
  return block.every((byte) => byte === 0);
}

async function skipPadding(source: ByteSource, size: number): Promise<void> {
  const padding = (BLOCK - (size % BLOCK)) % BLOCK;
  if (padding > 0 && !(await source.take(padding))) throw cutShort();
}

async function takeExtension(source: ByteSource, size: number): Promise<Buffer> {
  if (size > MAX_EXTENSION_BYTES) throw damaged(`a header of ${size} bytes`);
  const bytes = size > 0 ? await source.take(size) : Buffer.alloc(0);
  if (!bytes) throw cutShort();
  await skipPadding(source, size);
  return bytes;
}

function parseBlock(block: Buffer): TarEntry {
  if (parseNumber(block.subarray(148, 156)) !== checksum(block)) throw damaged('a checksum is wrong');
  const number = (start: number, end: number) => {
    const value = parseNumber(block.subarray(start, end));
    if (value === undefined) throw damaged('a field is no number');
    return value;
  };
  return {
    path: text(block, 0, 100),
    type: String.fromCharCode(block[156]!),
    link: text(block, 157, 100),
    mode: number(100, 108) & 0o7777,
    uid: number(108, 116),
    gid: number(116, 124),
    size: number(124, 136),
    mtime: number(136, 148),
    major: number(329, 337),
    minor: number(337, 345),
    xattrs: new Map(),
    realSize: undefined,
  };
}

function text(block: Buffer, start: number, length: number): string {
  const field = block.subarray(start, start + length);
  const end = field.indexOf(0);
  return field.toString('latin1', 0, end < 0 ? length : end);
}

/** POSIX.1-2017 pax, "Extended Header": "LENGTH KEY=VALUE\n" each. */
function parseRecords(body: Buffer): Map<string, Buffer> {
  const records = new Map<string, Buffer>();
  for (let at = 0; at < body.length; ) {
    const [, digits] = /^([1-9]\d{0,7}) /.exec(body.toString('latin1', at, at + 9)) ?? [];
    const end = at + Number(digits);
    const equals = body.indexOf(0x3d, at);
    if (!digits || end > body.length || body[end - 1] !== 0x0a || equals < 0 || equals >= end) {
      throw damaged('a record is malformed');
    }
    records.set(body.toString('latin1', at + digits.length + 1, equals), body.subarray(equals + 1, end - 1));
    at = end;
  }
  return records;
}

function withRecords(entry: TarEntry, records: ReadonlyMap<string, Buffer>): TarEntry {
  const name = (key: string) => records.get(key)?.toString('latin1');
  const sparse = name('GNU.sparse.major') === '1';
  const merged = {
    ...entry,
    path: (sparse ? name('GNU.sparse.name') : undefined) ?? name('path') ?? entry.path,
    link: name('linkpath') ?? entry.link,
    size: number(records, 'size') ?? entry.size,
    uid: number(records, 'uid') ?? entry.uid,
    gid: number(records, 'gid') ?? entry.gid,
    mtime: number(records, 'mtime') ?? entry.mtime,
    xattrs: xattrsOf(records),
    realSize: sparse ? number(records, 'GNU.sparse.realsize') : undefined,
  };
  if (`${merged.path}${merged.link}`.includes('\0')) throw damaged('a name with a NUL');
  if (sparse && merged.realSize === undefined) throw damaged('a sparse file without its size');
  return merged;
}

function number(records: ReadonlyMap<string, Buffer>, key: string): number | undefined {
  const value = records.get(key)?.toString('latin1');
  if (value === undefined) return undefined;
  const parsed = (key === 'mtime' ? /^-?\d{1,15}(?:\.\d+)?$/ : /^\d{1,15}$/).test(value)
    ? Number(value)
    : Number.NaN;
  if (Number.isNaN(parsed)) throw damaged(`${key} is no number`);
  return parsed;
}

function xattrsOf(records: ReadonlyMap<string, Buffer>): Map<string, Buffer> {
  const found = [...records].filter(([key]) => key.startsWith(XATTR_PREFIX));
  return new Map(found.map(([key, value]) => [key.slice(XATTR_PREFIX.length), value]));
}

export function damaged(what: string): HrunError {
  return new HrunError('BAD_ARCHIVE', `the archive is damaged: ${what}`);
}
