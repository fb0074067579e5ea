// SPDX-License-Identifier: Apache-2.0
// The log of a container, as its monitor writes it: docker json-file lines, rotated by renaming.
import { constants, type FSWatcher, watch } from 'node:fs';
import { type FileHandle, lstat, open } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { listDirectory } from '../base/directory.ts';
import { errnoOf } from '../base/errors.ts';

/** One line of output, or a piece of a long one: `text` ends in a line feed unless it is a piece. */
export interface LogEntry {
  stream: 'stdout' | 'stderr';
  /** RFC 3339 with nanoseconds, UTC */
  time: string;
  text: string;
  /** of the container, --log-opt labels= and env= */
  attributes: Readonly<Record<string, string>>;
}

export interface LogRange {
  /** entries at the end; undefined is all */
  tail?: number | undefined;
  /** RFC 3339 with nanoseconds, UTC: entries from then on, and before then */
  since?: string | undefined;
  until?: string | undefined;
}

const LOG_FILE = 'container.log';
const CHUNK_BYTES = 256 * 1024;
/** No line that the monitor writes is longer: 16 KiB of output, each byte as \\u00XX. */
const MAX_LINE_BYTES = 128 * 1024;

/**
 * The entries of a container's log, oldest first, many at a time. With `follow` it goes on with new ones until the signal is
 * aborted, and then to the end of what is there.
 */
export async function* logEntries(
  directory: string,
  range: LogRange,
  follow?: AbortSignal,
): AsyncGenerator<LogEntry[]> {
  await using files = await openAll(directory);
  const from =
    range.tail === undefined ? { index: 0, offset: 0 } : await placeOfTail(files.handles, range.tail);
  for (const [index, file] of files.handles.entries()) {
    if (index < from.index) continue;
    const offset = index === from.index ? from.offset : 0;
    const last = index === files.handles.length - 1;
    const batches = follow && last ? growingLines(directory, file, offset, follow) : linesOf(file, offset);
    for await (const lines of batches) {
      const entries = lines.flatMap((line) => parseEntry(line) ?? []);
      const end = entries.findIndex(
        ({ time }) => range.until !== undefined && exactTime(time) >= range.until,
      );
      const wanted = end < 0 ? entries : entries.slice(0, end);
      yield wanted.filter(({ time }) => range.since === undefined || exactTime(time) >= range.since);
      if (end >= 0) return;
    }
  }
}

interface LogFiles extends AsyncDisposable {
  /** oldest first; the last one is written to */
  handles: FileHandle[];
}

/** Rotations do not get in between as often as this, unless files hold a few lines each: then what was found has to do. */
const MAX_ATTEMPTS = 20;

/**
 * Opens all files of a log. The monitor may rename them meanwhile, and a directory that is read meanwhile need not show what is
 * renamed: only when the names are the same afterwards, and each is still that of its file, have all been found.
 */
async function openAll(directory: string): Promise<LogFiles> {
  for (let attempt = 1; ; attempt++) {
    const names = logNames(directory);
    const found = await Promise.all(names.map((name) => openLog(directory, name)));
    const handles = found.filter((handle) => handle !== undefined);
    const named = await Promise.all(names.map((name, i) => isNamed(found[i], join(directory, name))));
    const close = async () => void (await Promise.all(handles.map((handle) => handle.close())));
    const unmoved = named.every(Boolean) && isDeepStrictEqual(logNames(directory), names);
    if (unmoved || attempt === MAX_ATTEMPTS) return { handles, [Symbol.asyncDispose]: close };
    await close();
  }
}

/** The names of a log's files, oldest first. A container that was removed while its log is followed has none. */
function logNames(directory: string): string[] {
  const names = listDirectory(directory).flatMap((name) => {
    const match = /^container\.log(?:\.([1-9]\d{0,8}))?$/.exec(name);
    return match ? { name, number: Number(match[1] ?? 0) } : [];
  });
  return names.sort((a, b) => b.number - a.number).map(({ name }) => name);
}

async function isNamed(handle: FileHandle | undefined, path: string): Promise<boolean> {
  if (!handle) return false;
  const [opened, named] = await Promise.all([handle.stat(), lstat(path).catch(() => undefined)]);
  return opened.ino === named?.ino;
}

/** A plain file of the container's directory; undefined when there is none. */
async function openLog(directory: string, name: string): Promise<FileHandle | undefined> {
  try {
    const handle = await open(
      join(directory, name),
      constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
    );
    if ((await handle.stat()).isFile()) return handle;
    await handle.close();
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT' && errnoOf(error) !== 'ELOOP') throw error;
  }
  return undefined;
}

/** Where the last `count` lines of all files begin, found from the end. */
async function placeOfTail(
  files: readonly FileHandle[],
  count: number,
): Promise<{ index: number; offset: number }> {
  let left = count;
  for (let index = files.length - 1; index >= 0; index--) {
    const found = await backwards(files[index]!, left);
    if (found.offset > 0 || found.lines >= left) return { index, offset: found.offset };
    left -= found.lines;
  }
  return { index: 0, offset: 0 };
}

/** Looks for the beginning of the last `count` lines of a file; offset 0 when it has fewer. */
async function backwards(file: FileHandle, count: number): Promise<{ offset: number; lines: number }> {
  const { size } = await file.stat();
  if (count === 0) return { offset: size, lines: 0 };
  const buffer = Buffer.alloc(CHUNK_BYTES);
  let lines = 0;
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - CHUNK_BYTES);
    const { bytesRead } = await file.read(buffer, 0, end - start, start);
    for (let at = bytesRead - 1; at >= 0; at--) {
      if (buffer[at] !== 0x0a || start + at === size - 1) continue;
      lines += 1;
      if (lines === count) return { offset: start + at + 1, lines };
    }
    end = start;
  }
  return { offset: 0, lines: size > 0 ? lines + 1 : 0 };
}

/** The whole lines of a file from an offset on. */
async function* linesOf(file: FileHandle, offset: number): AsyncGenerator<string[]> {
  const reader = new LineReader(file, offset);
  for (let lines = await reader.read(); lines; lines = await reader.read()) yield lines;
}

/** As linesOf, but waits for more at the end, and goes on with the next file when the log was rotated. */
async function* growingLines(
  directory: string,
  first: FileHandle,
  offset: number,
  stop: AbortSignal,
): AsyncGenerator<string[]> {
  let file = first;
  let reader = new LineReader(file, offset);
  try {
    for (;;) {
      const stopped = stop.aborted;
      using change = new Change(join(directory, LOG_FILE), stop);
      const lines = await reader.read();
      if (lines) {
        yield lines;
        continue;
      }
      const next = await nextFile(directory, file);
      if (next) {
        // What was written between the end seen above and the rotation.
        for (let rest = await reader.read(); rest; rest = await reader.read()) yield rest;
        if (file !== first) await file.close();
        file = next;
        reader = new LineReader(file, 0);
      } else if (stopped) {
        return;
      } else {
        await change.happened;
      }
    }
  } finally {
    if (file !== first) await file.close();
  }
}

/** The file that was begun after `file`, or the oldest when `file` was deleted meanwhile; undefined while it is the last. */
async function nextFile(directory: string, file: FileHandle): Promise<FileHandle | undefined> {
  if (await isNamed(file, join(directory, LOG_FILE))) return undefined;
  await using files = await openAll(directory);
  const { ino } = await file.stat();
  const all = await Promise.all(files.handles.map((handle) => handle.stat()));
  const [next] = files.handles.splice(all.findIndex((stat) => stat.ino === ino) + 1, 1);
  return next;
}

const RETRY_MS = 500;

/** A change of a file, or an abort: watched from its construction on. A file that is not there is looked at again a little later. */
class Change implements Disposable {
  readonly happened: Promise<void>;
  readonly #stop: AbortSignal;
  readonly #watcher: FSWatcher | undefined;
  readonly #timer: NodeJS.Timeout;
  readonly #resolve: () => void;

  constructor(path: string, stop: AbortSignal) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.happened = promise;
    this.#resolve = () => resolve();
    this.#stop = stop;
    this.#timer = setTimeout(this.#resolve, RETRY_MS);
    stop.addEventListener('abort', this.#resolve);
    if (stop.aborted) resolve();
    try {
      this.#watcher = watch(path, this.#resolve).on('error', this.#resolve);
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
    }
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#stop.removeEventListener('abort', this.#resolve);
    this.#watcher?.close();
  }
}

/** Cuts a file into lines. What does not end in a line feed yet is kept for the next read. */
class LineReader {
  readonly #file: FileHandle;
  #offset: number;
  #partial = Buffer.alloc(0);
  readonly #buffer = Buffer.alloc(CHUNK_BYTES);

  constructor(file: FileHandle, offset: number) {
    this.#file = file;
    this.#offset = offset;
  }

  /** The next lines; undefined at the end of the file. */
  async read(): Promise<string[] | undefined> {
    const { bytesRead } = await this.#file.read(this.#buffer, 0, CHUNK_BYTES, this.#offset);
    if (bytesRead === 0) return undefined;
    this.#offset += bytesRead;
    const bytes = Buffer.concat([this.#partial, this.#buffer.subarray(0, bytesRead)]);
    const end = bytes.lastIndexOf(0x0a) + 1;
    this.#partial = bytes.length - end > MAX_LINE_BYTES ? Buffer.alloc(0) : bytes.subarray(end);
    return end === 0 ? [] : bytes.toString('utf8', 0, end - 1).split('\n');
  }
}

/** A damaged line is no entry: a machine that lost its power may have left one. */
function parseEntry(line: string): LogEntry | undefined {
  try {
    const { log, stream, time, attrs } = JSON.parse(line) as Record<string, unknown>;
    if (typeof log !== 'string' || typeof time !== 'string') return undefined;
    return { stream: stream === 'stderr' ? 'stderr' : 'stdout', time, text: log, attributes: texts(attrs) };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function texts(attributes: unknown): Record<string, string> {
  const entries = Object.entries(attributes ?? {}).filter(([, value]) => typeof value === 'string');
  return Object.fromEntries(entries);
}

/** Nine digits of the second, as texts that are to be compared need, and as Docker shows them: the log leaves out zeros at the end. */
export function exactTime(time: string): string {
  const [whole = '', fraction = ''] = time.replace(/Z$/, '').split('.');
  return `${whole}.${fraction.padEnd(9, '0')}Z`;
}
