// SPDX-License-Identifier: Apache-2.0
import type { FileHandle } from 'node:fs/promises';
import { posix } from 'node:path';
import { HrunError } from '../../base/errors.ts';
import { BLOCK, parseTarHeader, type TarHeader } from '../../tar/index.ts';

/** Where a file's content lies in a tar archive. */
export interface TarEntry {
  offset: number;
  /** bytes */
  size: number;
}

type Indexed = TarEntry | { link: string };

/** An image archive has a few files per layer; more than this is no image. */
const MAX_ENTRIES = 100_000;
const MAX_EXTENSION_BYTES = 1024 * 1024;
const MAX_LINKS = 40;

/** The files of a tar archive by name, from its headers alone: contents are read where they lie. */
export class TarIndex {
  readonly #entries: Map<string, Indexed>;

  constructor(entries: Map<string, Indexed>) {
    this.#entries = entries;
  }

  /** The regular file `name`; symbolic and hard links are followed inside the archive. */
  find(name: string): TarEntry | undefined {
    let at = clean(name);
    for (let hops = 0; hops < MAX_LINKS; hops++) {
      const entry = this.#entries.get(at);
      if (!entry || !('link' in entry)) return entry;
      at = entry.link;
    }
    return undefined;
  }
}

/** Reads the headers of the archive in `handle`, `length` bytes long. Throws BAD_ARCHIVE. */
export async function indexTar(handle: FileHandle, length: number, where: string): Promise<TarIndex> {
  const entries = new Map<string, Indexed>();
  const bad = (why: string) => new HrunError('BAD_ARCHIVE', `${where} is not an image archive: ${why}`);
  let extension: Extension = {};
  for (let at = 0, count = 0; at + BLOCK <= length; count++) {
    const block = await readExactly(handle, at, BLOCK);
    if (block.every((byte) => byte === 0)) break;
    const header = parseTarHeader(block);
    if (!header) throw bad(at === 0 ? 'it is not a tar' : `broken tar header at byte ${at}`);
    if (count >= MAX_ENTRIES) throw bad(`more than ${MAX_ENTRIES} files`);
    const offset = at + BLOCK;
    const isExtension = 'xgLK'.includes(header.type);
    const size = isExtension ? header.size : (extension.size ?? header.size);
    if (offset + size > length) throw bad(`it ends in the middle of ${header.name.slice(0, 100)}`);
    if (isExtension) {
      if (size > MAX_EXTENSION_BYTES) throw bad(`a header of ${size} bytes`);
      const body = await readExactly(handle, offset, size);
      extension = { ...extension, ...readExtension(header.type, body) };
    } else {
      note(entries, { ...header, ...extension, size }, offset);
      extension = {};
    }
    at = offset + Math.ceil(size / BLOCK) * BLOCK;
  }
  return new TarIndex(entries);
}

type Extension = Partial<Pick<TarHeader, 'name' | 'linkName' | 'size'>>;

function note(
  entries: Map<string, Indexed>,
  { name, type, linkName, size }: TarHeader,
  offset: number,
): void {
  const path = clean(name);
  if (type === '0') entries.set(path, { offset, size });
  else if (type === '2') entries.set(path, { link: clean(posix.join(posix.dirname(path), linkName)) });
  else if (type === '1') entries.set(path, { link: clean(linkName) });
}

/** What a pax header ('x') or a GNU long name ('L', 'K') says of the entry after it; global headers say nothing. */
function readExtension(type: string, body: Buffer): Extension {
  if (type === 'L') return { name: untilNul(body) };
  if (type === 'K') return { linkName: untilNul(body) };
  return type === 'x' ? readPax(body) : {};
}

/** pax records: "LENGTH KEY=VALUE\n". Stops at what is malformed. */
function readPax(body: Buffer): Extension {
  const result: Extension = {};
  for (let at = 0; at < body.length; ) {
    const space = body.indexOf(0x20, at);
    const length = space < 0 ? 0 : Number(body.toString('latin1', at, space));
    if (!Number.isInteger(length) || length < space - at + 3 || at + length > body.length) break;
    const record = body.toString('utf8', space + 1, at + length - 1);
    const equals = record.indexOf('=');
    const [key, value] = [record.slice(0, equals), record.slice(equals + 1)];
    if (key === 'path') result.name = value;
    if (key === 'linkpath') result.linkName = value;
    if (key === 'size' && /^\d{1,15}$/.test(value)) result.size = Number(value);
    at += length;
  }
  return result;
}

function untilNul(body: Buffer): string {
  const end = body.indexOf(0);
  return body.toString('utf8', 0, end < 0 ? body.length : end);
}

/** `./a//b` and `/a/b` name the same as `a/b`; what climbs out of the archive names nothing in it. */
function clean(path: string): string {
  return posix.normalize(`/${path}`).slice(1).replace(/\/$/, '');
}

async function readExactly(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await handle.read(buffer, done, length - done, position + done);
    if (bytesRead === 0) throw new HrunError('BAD_ARCHIVE', 'the archive was cut short while it was read');
    done += bytesRead;
  }
  return buffer;
}
