// SPDX-License-Identifier: Apache-2.0
// The log of a container, as its monitor writes it: docker json-file lines, rotated by renaming.
import { constants, type FSWatcher, watch } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '../base/errors.ts';

/** One line of output, or a piece of a long one: `text` ends in a line feed unless it is a piece. */
export interface LogEntry {
  stream: 'stdout' | 'stderr';
  /** RFC 3339 with nanoseconds, UTC */
  time: string;
  text: string;
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
      const end = entries.findIndex(({ time }) => range.until !== undefined && exact(time) >= range.until);
      const wanted = end < 0 ? entries : entries.slice(0, end);
      yield wanted.filter(({ time }) => range.since === undefined || exact(time) >= range.since);
      if (end >= 0) return;
    }
  }
}

interface LogFiles extends AsyncDisposable {
  /** oldest first; the last one is written to */
  handles: FileHandle[];
}

/** While they are opened the monitor may rename them: then a file would be there twice, or not at all, so names are checked by inode. */
async function openAll(directory: string): Promise<LogFiles> {
  const handles: FileHandle[] = [];
  const seen = new Set<number>();
  for (let number = 0; ; number++) {
    const handle = await openLog(directory, number === 0 ? LOG_FILE : `${LOG_FILE}.${number}`);
    if (!handle) break;
    const { ino } = await handle.stat();
    if (seen.has(ino)) await handle.close();
    else handles.unshift(handle);
    seen.add(ino);
  }
  return {
    handles,
    [Symbol.asyncDispose]: async () => void (await Promise.all(handles.map((handle) => handle.close()))),
  };
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

/** The file that took the place of `file`, if one did. */
async function nextFile(directory: string, file: FileHandle): Promise<FileHandle | undefined> {
  const now = await openLog(directory, LOG_FILE);
  if (!now) return undefined;
  if ((await now.stat()).ino !== (await file.stat()).ino) return now;
  await now.close();
  return undefined;
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
    const { log, stream, time } = JSON.parse(line) as Record<string, unknown>;
    if (typeof log !== 'string' || typeof time !== 'string') return undefined;
    return { stream: stream === 'stderr' ? 'stderr' : 'stdout', time, text: log };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Nine digits of the second, as texts that are to be compared need: the log leaves out zeros at the end. */
function exact(time: string): string {
  const [whole = '', fraction = ''] = time.replace(/Z$/, '').split('.');
  return `${whole}.${fraction.padEnd(9, '0')}Z`;
}
