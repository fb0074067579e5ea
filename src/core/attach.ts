// SPDX-License-Identifier: Apache-2.0
// Joins a session of the agent protocol to the standard streams of whoever asked for it.
import type { Duplex, Readable, Writable } from 'node:stream';
import { errnoOf } from '../base/errors.ts';
import {
  AttachFlags,
  type ExitStatus,
  type OutputStream,
  Session,
  type SessionError,
  Stream,
} from '../guest/index.ts';

export { Stage } from '../guest/index.ts';
export type { Session };

/** Where a container's standard streams go; a stream left out is not attached. */
export interface AttachStreams {
  stdin?: Readable | undefined;
  stdout?: Writable | undefined;
  stderr?: Writable | undefined;
}

export interface AttachEvents {
  /** the container's process runs */
  started?(): void;
  /** of Stage, and CLOCK_MONOTONIC in nanoseconds */
  trace?(stage: number, timeNs: bigint): void;
  /** sees standard input before it is sent */
  input?(bytes: Buffer): void;
  /** standard input has ended; called before the process is told */
  inputEnded?(): void;
  /** nobody reads the container's output any more; what comes from here on is dropped */
  outputBroken?(cause: Error): void;
}

/** How an attachment ended, as far as its connection told. */
export interface AttachEnd {
  started: boolean;
  exit: ExitStatus | undefined;
  error: SessionError | undefined;
  /** the monitor said that it has let go of everything */
  gone: boolean;
  /** this side left; the container goes on */
  left: boolean;
  /** why the connection broke, if it did */
  cause: Error | undefined;
  /** why output could not be written, if so */
  outputError: Error | undefined;
}

/** Bytes of standard input. */
const MAX_READ_AHEAD = 64 * 1024;

/** Standard streams joined to a container's process. */
export class Attachment {
  readonly session: Session;
  /** Resolves when the connection has ended and all output is written. */
  readonly ended: Promise<AttachEnd>;
  readonly #streams: AttachStreams;
  readonly #events: AttachEvents;
  readonly #end: AttachEnd = {
    ...{ started: false, exit: undefined, error: undefined, gone: false, left: false },
    ...{ cause: undefined, outputError: undefined },
  };
  #pendingWrites = 0;
  #closed = false;
  readonly #processRuns = Promise.withResolvers<void>();
  #finish!: (end: AttachEnd) => void;

  /** `begin` says to whom: by default to the container's own process, over the monitor's socket. */
  constructor(
    connection: Duplex,
    streams: AttachStreams,
    events: AttachEvents = {},
    begin = (session: Session) => session.attach(attachFlags(streams)),
  ) {
    this.#streams = streams;
    this.#events = events;
    this.ended = new Promise((resolve) => {
      this.#finish = resolve;
    });
    this.session = new Session(connection, {
      output: (stream, bytes) => this.#write(stream, bytes),
      started: () => this.#started(),
      trace: (stage, time) => events.trace?.(stage, time),
      exit: (status) => this.#exited(status),
      error: (error) => {
        this.#end.error ??= error;
      },
      gone: () => {
        this.#end.gone = true;
        this.session.close();
      },
      close: (cause) => this.#close(cause),
    });
    begin(this.session);
    for (const stream of [streams.stdout, streams.stderr]) {
      stream?.on('error', (error: Error) => this.#outputFailed(error));
    }
    if (streams.stdin) void this.#pump(streams.stdin);
  }

  get started(): boolean {
    return this.#end.started;
  }

  /** Ends the connection and lets the container go on. */
  leave(): void {
    if (!this.#closed) this.#end.left = true;
    this.session.close();
  }

  /** The same for an exec, whose process would see a hang-up: it keeps its terminal, and what it says is dropped. */
  detach(): void {
    if (this.#closed || this.#end.left) return;
    this.#end.left = true;
    this.session.detach();
  }

  #started(): void {
    this.#end.started = true;
    this.#processRuns.resolve();
    this.#events.started?.();
  }

  #exited(status: ExitStatus): void {
    this.#end.exit = status;
    this.#streams.stdin?.destroy();
  }

  /** The bytes are credited back once the reader has taken them: a slow reader slows the process down. */
  #write(stream: OutputStream, bytes: Buffer): void {
    const target = stream === Stream.STDOUT ? this.#streams.stdout : this.#streams.stderr;
    if (!target || this.#end.outputError) {
      this.session.credit(stream, bytes.length);
      return;
    }
    this.#pendingWrites++;
    target.write(bytes, () => {
      this.#pendingWrites--;
      this.session.credit(stream, bytes.length);
      this.#settle();
    });
  }

  #outputFailed(error: Error): void {
    if (this.#end.outputError) return;
    this.#end.outputError = error;
    this.#pendingWrites = 0;
    this.#events.outputBroken?.(error);
    this.#settle();
  }

  /**
   * Sends standard input once the process runs, until it ends; an input that cannot be read has ended. Before, some is read ahead: it
   * may be what ends the start.
   */
  async #pump(stdin: Readable): Promise<void> {
    let sent = this.#processRuns.promise;
    let read = 0;
    try {
      for await (const chunk of stdin) {
        this.#events.input?.(chunk as Buffer);
        read += (chunk as Buffer).length;
        sent = sent.then(() => this.session.input(chunk as Buffer));
        if (this.#end.started || read >= MAX_READ_AHEAD) await sent;
      }
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
    }
    if (this.#closed || this.#end.exit) return;
    this.#events.inputEnded?.();
    await sent;
    this.session.endInput();
  }

  #close(cause: Error | undefined): void {
    this.#closed = true;
    this.#processRuns.resolve();
    this.#end.cause = cause;
    this.#streams.stdin?.destroy();
    this.#settle();
  }

  #settle(): void {
    if (this.#closed && (this.#pendingWrites <= 0 || this.#end.outputError)) this.#finish(this.#end);
  }
}

function attachFlags({ stdin, stdout, stderr }: AttachStreams): number {
  return (
    (stdin ? AttachFlags.STDIN : 0) | (stdout ? AttachFlags.STDOUT : 0) | (stderr ? AttachFlags.STDERR : 0)
  );
}
