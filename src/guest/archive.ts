// SPDX-License-Identifier: Apache-2.0
// The agent's archive service: the files of a container, as initrd/protocol.h has them under `enum hrun_archive`.
import type { Duplex } from 'node:stream';
import { type ErrorCode, HrunError } from '../base/errors.ts';
import { Archive, ErrorKind, type OutputStream, StartFlags, StartTag, Stream } from './protocol.ts';
import { type ExitStatus, Session, type SessionError } from './session.ts';
import { TlvWriter } from './tlv.ts';

export interface ArchiveRequest {
  /** of Archive */
  operation: (typeof Archive)[keyof typeof Archive];
  args?: readonly string[];
  /** PUT: whom everything shall belong to, by the image's names; else to whom the archive says */
  user?: string | undefined;
  /** let the container's processes stand still meanwhile */
  frozen?: boolean;
}

const MAX_ERROR_BYTES = 4096;
const ENOENT = 2;
const ENOTDIR = 20;

/**
 * Asks on a connection to the agent, which it owns, and gives what the guest answers as it comes. Throws NO_SUCH_FILE or
 * COPY_FAILED with the guest's own words, VM_FAILED when it ends on the way. Leaving the loop ends the request.
 */
export async function* archiveOutput(connection: Duplex, request: ArchiveRequest): AsyncGenerator<Buffer> {
  const exchange = new Exchange(connection);
  try {
    exchange.session.start(encodeArchive(request));
    for (let piece = await exchange.next(); piece; piece = await exchange.next()) {
      yield piece;
      exchange.session.credit(Stream.STDOUT, piece.length);
    }
  } finally {
    exchange.session.close();
  }
}

/** Sends `chunks` to a request that takes some; resolves when the guest has carried it out. Throws as archiveOutput does. */
export async function archiveInput(
  connection: Duplex,
  request: ArchiveRequest,
  chunks: AsyncIterable<Buffer>,
): Promise<void> {
  const exchange = new Exchange(connection);
  try {
    exchange.session.start(encodeArchive(request));
    await exchange.started;
    for await (const chunk of chunks) {
      if (exchange.ended) break;
      await exchange.session.input(chunk);
    }
    if (!exchange.ended) exchange.session.endInput();
    while (await exchange.next());
  } finally {
    exchange.session.close();
  }
}

function encodeArchive({ operation, args = [], user, frozen }: ArchiveRequest): Buffer {
  const tlv = new TlvWriter();
  const takesInput = operation === Archive.PUT;
  tlv.u32(StartTag.ARCHIVE, operation);
  for (const arg of args) tlv.string(StartTag.ARG, arg);
  if (user) tlv.string(StartTag.USER, user);
  tlv.u32(StartTag.FLAGS, (takesInput ? StartFlags.STDIN : 0) | (frozen ? StartFlags.FROZEN : 0));
  return tlv.finish('the path');
}

/** One request and what comes of it. */
class Exchange {
  readonly session: Session;
  /** Resolves when the request was found good; rejects when not. */
  readonly started: Promise<void>;
  readonly #pieces: Buffer[] = [];
  readonly #begun = Promise.withResolvers<void>();
  #words = '';
  #outcome: 'done' | Error | undefined;
  #wake: (() => void) | undefined;

  constructor(connection: Duplex) {
    this.started = this.#begun.promise;
    this.started.catch(() => {});
    this.session = new Session(connection, {
      output: (stream, bytes) => this.#take(stream, bytes),
      started: () => this.#begun.resolve(),
      exit: (status) => this.#end(this.#outcomeOf(status)),
      error: (error) => this.#end(guestFailure(error)),
      close: (cause) => this.#end(lost(cause)),
    });
  }

  get ended(): boolean {
    return this.#outcome !== undefined;
  }

  /** The next piece of output; undefined when the request was carried out. */
  async next(): Promise<Buffer | undefined> {
    while (this.#pieces.length === 0 && !this.#outcome) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const piece = this.#pieces.shift();
    if (!piece && this.#outcome instanceof Error) throw this.#outcome;
    return piece;
  }

  #take(stream: OutputStream, bytes: Buffer): void {
    if (stream === Stream.STDOUT) {
      this.#pieces.push(bytes);
    } else {
      this.#words = (this.#words + bytes.toString('utf8')).slice(0, MAX_ERROR_BYTES);
      this.session.credit(stream, bytes.length);
    }
    this.#wake?.();
  }

  #outcomeOf({ code, signal }: ExitStatus): 'done' | Error {
    if (code === 0) return 'done';
    if (signal !== 0) return lost(undefined);
    return new HrunError('COPY_FAILED', this.#words || `the guest failed with exit code ${code}`);
  }

  #end(outcome: 'done' | Error): void {
    this.#outcome ??= outcome;
    if (this.#outcome === 'done') this.#begun.resolve();
    else this.#begun.reject(this.#outcome);
    this.#wake?.();
    this.session?.close();
  }
}

function guestFailure({ kind, errorNumber, message }: SessionError): HrunError {
  const isMissing = errorNumber === ENOENT || errorNumber === ENOTDIR;
  const code: ErrorCode = kind === ErrorKind.FILE && isMissing ? 'NO_SUCH_FILE' : 'COPY_FAILED';
  return new HrunError(kind === ErrorKind.USER ? 'NO_SUCH_USER' : code, message || 'the guest failed');
}

function lost(cause: Error | undefined): HrunError {
  if (cause instanceof HrunError) return cause;
  return new HrunError(
    'VM_FAILED',
    'the container, or its memory, ended while its files were read or written',
    {
      cause,
    },
  );
}
