// SPDX-License-Identifier: Apache-2.0
import { constants, watch } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import { JOURNAL, OLDER_JOURNAL, type StoreEvent } from './record-event.ts';

const CHUNK_BYTES = 64 * 1024;
/** An event with all the labels that a configuration may have. */
const MAX_LINE_BYTES = 2 * 1024 * 1024;
/** Whoever opened the journal before its rotation has written by then. */
const LOOK_AGAIN_MS = 500;

/**
 * The events of a store, oldest first, many at a time. With `follow` it goes on with new ones until the signal is aborted; a
 * rotation loses none.
 */
export async function* readEvents(root: Root, follow?: AbortSignal): AsyncGenerator<StoreEvent[]> {
  await using journal = new JournalFiles(root.dir);
  for (;;) {
    const stopped = follow?.aborted !== false;
    const change = stopped ? undefined : new Change(root.dir, follow!);
    using _ = change;
    const events = await journal.read();
    if (events.length > 0) yield events;
    else if (stopped) return;
    else await change!.happened;
  }
}

/** The journal and the one before it: both are read until the next rotation, for a late writer may still have the older one open. */
class JournalFiles implements AsyncDisposable {
  readonly #dir: string;
  #files: JournalFile[] = [];

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** What was appended since the last call. */
  async read(): Promise<StoreEvent[]> {
    await this.#find();
    const events: StoreEvent[] = [];
    for (const file of this.#files) events.push(...(await file.read()));
    return events;
  }

  /** A rotation in between is found by the next call: the file that is known then still has its place. */
  async #find(): Promise<void> {
    for (const name of [OLDER_JOURNAL, JOURNAL]) {
      const path = join(this.#dir, name);
      const ino = await inodeOf(path);
      if (ino === undefined || this.#files.some((file) => file.ino === ino)) continue;
      const opened = await JournalFile.open(path);
      if (opened && this.#files.some((file) => file.ino === opened.ino)) await opened.close();
      else if (opened) this.#files.push(opened);
    }
    for (const old of this.#files.splice(0, Math.max(0, this.#files.length - 2))) await old.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const file of this.#files) await file.close();
  }
}

async function inodeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).ino;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

class JournalFile {
  readonly ino: number;
  readonly #handle: FileHandle;
  #offset = 0;
  #partial = Buffer.alloc(0);

  private constructor(handle: FileHandle, ino: number) {
    this.#handle = handle;
    this.ino = ino;
  }

  /** Undefined when there is none any more. */
  static async open(path: string): Promise<JournalFile | undefined> {
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
    try {
      const handle = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
      return new JournalFile(handle, (await handle.stat()).ino);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  async read(): Promise<StoreEvent[]> {
    const events: StoreEvent[] = [];
    const buffer = Buffer.alloc(CHUNK_BYTES);
    for (;;) {
      const { bytesRead } = await this.#handle.read(buffer, 0, CHUNK_BYTES, this.#offset);
      if (bytesRead === 0) return events;
      this.#offset += bytesRead;
      events.push(...this.#linesOf(buffer.subarray(0, bytesRead)).flatMap((line) => parseEvent(line) ?? []));
    }
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  /** Whole lines; what has no end yet is kept. */
  #linesOf(read: Buffer): string[] {
    const bytes = Buffer.concat([this.#partial, read]);
    const end = bytes.lastIndexOf(0x0a) + 1;
    this.#partial = bytes.length - end > MAX_LINE_BYTES ? Buffer.alloc(0) : bytes.subarray(end);
    return end === 0 ? [] : bytes.toString('utf8', 0, end - 1).split('\n');
  }
}

/** A line that a full disk or a power cut has damaged is no event. */
function parseEvent(line: string): StoreEvent | undefined {
  try {
    const event = JSON.parse(line) as StoreEvent | null;
    const { Type, Action, Actor, timeNano } = event ?? ({} as Partial<StoreEvent>);
    const whole = typeof Type === 'string' && typeof Action === 'string' && typeof timeNano === 'number';
    const acts = typeof Actor?.ID === 'string' && typeof Actor.Attributes === 'object' && Actor.Attributes;
    return whole && acts ? (event ?? undefined) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** A change of the store's directory or journal, an abort, or some time gone by: watched from its construction on. */
class Change implements Disposable {
  readonly happened: Promise<void>;
  readonly #close: () => void;

  constructor(dir: string, stop: AbortSignal) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const done = () => resolve();
    this.happened = promise;
    const timer = setTimeout(done, LOOK_AGAIN_MS);
    stop.addEventListener('abort', done);
    const watcher = watched(dir, done);
    this.#close = () => {
      clearTimeout(timer);
      stop.removeEventListener('abort', done);
      watcher?.close();
    };
  }

  [Symbol.dispose](): void {
    this.#close();
  }
}

/** inotify of the directory tells of its files too; a host that has no more watches is looked at by the clock. */
function watched(dir: string, changed: () => void): ReturnType<typeof watch> | undefined {
  try {
    return watch(dir, changed).on('error', changed);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}
