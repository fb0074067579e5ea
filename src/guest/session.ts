// SPDX-License-Identifier: Apache-2.0
// The client's end of one session: initrd/protocol.h over a stream socket.
import type { Duplex } from 'node:stream';
import { broken, FrameReader, frameHeader, wordFrame } from './frame.ts';
import {
  ExitFlags,
  FrameType,
  INITIAL_CREDIT,
  MAX_DATA,
  type OutputStream,
  PROTOCOL_MAGIC,
  PROTOCOL_VERSION,
  StopFlags,
  Stream,
} from './protocol.ts';
import { sizeBytes, type TerminalSize } from './start.ts';
import { decodeUsed, type Used } from './used.ts';

/** How a process ended. */
export interface ExitStatus {
  /** as a shell gives it: 0-255, 128+n after signal n */
  code: number;
  /** the signal that ended it, or 0 */
  signal: number;
  oomKilled: boolean;
}

/** An ERROR frame. */
export interface SessionError {
  /** of ErrorKind */
  kind: number;
  /** Linux errno, or 0 */
  errorNumber: number;
  message: string;
}

/** Limits of the container in its guest; Infinity is none. */
export interface GuestLimits {
  memoryBytes?: number | undefined;
  pids?: number | undefined;
  /** that are online, of those that the machine has */
  cpus?: number | undefined;
}

/** What a session tells its owner, in the order of the wire. */
export interface SessionEvents {
  /** Bytes of a stream; give them back with `credit` once they are consumed. */
  output(stream: OutputStream, bytes: Buffer): void;
  outputEnd?(stream: OutputStream): void;
  started?(): void;
  /** the container's processes stand still, or go on */
  paused?(paused: boolean): void;
  used?(used: Used): void;
  /** the limits asked for are in force */
  limited?(): void;
  /** the networks are as asked for */
  networked?(): void;
  trace?(stage: number, timeNs: bigint): void;
  exit?(status: ExitStatus): void;
  error?(error: SessionError): void;
  /** the monitor has let go of everything */
  gone?(status: ExitStatus): void;
  /** The connection ended; `cause` if it broke, or the peer broke the protocol. Called once, last. */
  close(cause?: Error): void;
}

/** Bytes consumed but not yet credited back that are worth a CREDIT frame. */
const CREDIT_STEP = INITIAL_CREDIT / 4;

/** One session on a connected socket, which it owns from here on. */
export class Session {
  readonly #socket: Duplex;
  readonly #events: SessionEvents;
  readonly #reader: FrameReader;
  /** per output stream: bytes the peer may still send, and bytes consumed but not credited back */
  readonly #window = [0, INITIAL_CREDIT, INITIAL_CREDIT];
  readonly #uncredited = [0, 0, 0];
  #inputCredit = INITIAL_CREDIT;
  #creditWaiter: (() => void) | undefined;
  #greeted = false;
  #closed = false;
  #cause: Error | undefined;

  constructor(socket: Duplex, events: SessionEvents) {
    this.#socket = socket;
    this.#events = events;
    this.#reader = new FrameReader({
      data: (stream, bytes) => this.#data(stream, bytes),
      end: (stream) => events.outputEnd?.(stream),
      frame: (type, _stream, payload) => this.#frame(type, payload),
    });
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', (error) => this.close(error));
    socket.on('end', () => this.close());
    socket.on('close', () => this.close());
    this.#hello();
  }

  /** Attaches to the container's process; `flags` of AttachFlags. */
  attach(flags: number): void {
    this.#send(wordFrame(FrameType.ATTACH, 0, flags));
  }

  /** Starts a process; `payload` of encodeStart. On an agent's connection only. */
  start(payload: Buffer): void {
    this.#send(Buffer.concat([frameHeader(FrameType.START, 0, payload.length), payload]));
  }

  /** Asks that the container's processes stand still, or go on. */
  pause(paused: boolean): void {
    this.#send(frameHeader(paused ? FrameType.PAUSE : FrameType.RESUME, 0, 0));
  }

  /** Asks for what the container uses. On an agent's connection only. */
  askUsage(): void {
    this.#send(frameHeader(FrameType.USAGE, 0, 0));
  }

  /** Sets limits of the container; undefined leaves one as it is. On an agent's connection only. */
  limit({ memoryBytes, pids, cpus }: GuestLimits): void {
    const payload = Buffer.alloc(24);
    payload.writeBigUInt64LE(limitValue(memoryBytes), 0);
    payload.writeBigUInt64LE(limitValue(pids), 8);
    payload.writeBigUInt64LE(limitValue(cpus), 16);
    this.#send(Buffer.concat([frameHeader(FrameType.LIMIT, 0, payload.length), payload]));
  }

  /** Changes the container's networks; `payload` of encodeNetworkChange. On an agent's connection only. */
  changeNetworks(payload: Buffer): void {
    this.#send(Buffer.concat([frameHeader(FrameType.NETWORK, 0, payload.length), payload]));
  }

  /** Sends a Linux signal to the session's process. */
  signal(number: number): void {
    this.#send(wordFrame(FrameType.SIGNAL, 0, number));
  }

  resize(size: TerminalSize): void {
    this.#send(Buffer.concat([frameHeader(FrameType.RESIZE, 0, 4), sizeBytes(size)]));
  }

  /** Ends the container: `signal` to its process, SIGKILL after `milliseconds`. `forHost`: only because the host goes down. */
  stop(signal: number, milliseconds: number, { forHost = false } = {}): void {
    const flags = forHost ? StopFlags.FOR_HOST : 0;
    this.#send(wordFrame(FrameType.STOP, 0, signal, milliseconds, flags));
  }

  /** Sends standard input; resolves when all of it is on its way, or the session is over. */
  async input(bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length && !this.#closed; ) {
      if (this.#inputCredit === 0) await this.#creditArrives();
      const piece = bytes.subarray(at, at + Math.min(MAX_DATA, this.#inputCredit));
      if (piece.length > 0) this.#sendInput(piece);
      at += piece.length;
    }
  }

  /** End of file on standard input. */
  endInput(): void {
    this.#send(frameHeader(FrameType.DATA, Stream.STDIN, 0));
  }

  /** Gives back `count` consumed bytes of a stream, so that the peer may send as many more. */
  credit(stream: OutputStream, count: number): void {
    this.#uncredited[stream]! += count;
    const due = this.#uncredited[stream]!;
    if (due < CREDIT_STEP) return;
    this.#uncredited[stream] = 0;
    this.#window[stream]! += due;
    this.#send(wordFrame(FrameType.CREDIT, stream, due));
  }

  /** Leaves the session's process to itself: it goes on, and what it says is dropped. On an agent's connection only. */
  detach(): void {
    this.#send(frameHeader(FrameType.DETACH, 0, 0));
    if (!this.#closed) this.#socket.end(() => this.close());
  }

  /** Says that nothing more is asked: the peer closes when it has taken everything. */
  end(): void {
    if (!this.#closed) this.#socket.end();
  }

  /** Ends the connection; idempotent. */
  close(cause?: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cause = cause;
    this.#reader.stop();
    this.#socket.destroy();
    this.#creditWaiter?.();
    this.#events.close(this.#cause);
  }

  #receive(chunk: Buffer): void {
    try {
      this.#reader.push(chunk);
    } catch (error) {
      this.close(error as Error);
    }
  }

  #data(stream: OutputStream, bytes: Buffer): void {
    if (!this.#greeted) throw broken('data before HELLO');
    this.#window[stream]! -= bytes.length;
    if (this.#window[stream]! < 0) throw broken('more data than was credited');
    this.#events.output(stream, bytes);
  }

  #frame(type: number, payload: Buffer): void {
    if (!this.#greeted) this.#takeHello(type, payload);
    else if (type === FrameType.CREDIT) this.#takeCredit(payload.readUInt32LE(0));
    else if (type === FrameType.STARTED) this.#events.started?.();
    else if (type === FrameType.PAUSED || type === FrameType.RESUMED) {
      this.#events.paused?.(type === FrameType.PAUSED);
    } else if (type === FrameType.USED) this.#events.used?.(decodeUsed(payload));
    else if (type === FrameType.LIMITED) this.#events.limited?.();
    else if (type === FrameType.NETWORKED) this.#events.networked?.();
    else if (type === FrameType.TRACE) {
      this.#events.trace?.(payload.readUInt32LE(0), payload.readBigUInt64LE(8));
    } else if (type === FrameType.EXIT) this.#events.exit?.(exitStatus(payload));
    else if (type === FrameType.ERROR) this.#events.error?.(sessionError(payload));
    else if (type === FrameType.GONE) this.#events.gone?.(exitStatus(payload));
    else if (type !== FrameType.ATTACHED) throw broken(`unexpected frame of type ${type}`);
  }

  #takeHello(type: number, payload: Buffer): void {
    if (type !== FrameType.HELLO || payload.readUInt32LE(0) !== PROTOCOL_MAGIC) throw broken('no HELLO');
    const version = payload.readUInt16LE(4);
    if (version !== PROTOCOL_VERSION) throw broken(`version ${version}, expected ${PROTOCOL_VERSION}`);
    this.#greeted = true;
  }

  #takeCredit(count: number): void {
    this.#inputCredit += count;
    if (this.#inputCredit > INITIAL_CREDIT) throw broken('more credit than was used');
    this.#creditWaiter?.();
  }

  async #creditArrives(): Promise<void> {
    while (this.#inputCredit === 0 && !this.#closed) {
      await new Promise<void>((resolve) => {
        this.#creditWaiter = resolve;
      });
    }
  }

  #hello(): void {
    const payload = Buffer.alloc(8);
    payload.writeUInt32LE(PROTOCOL_MAGIC, 0);
    payload.writeUInt16LE(PROTOCOL_VERSION, 4);
    this.#send(Buffer.concat([frameHeader(FrameType.HELLO, 0, 8), payload]));
  }

  #sendInput(piece: Buffer): void {
    this.#inputCredit -= piece.length;
    this.#socket.cork();
    this.#send(frameHeader(FrameType.DATA, Stream.STDIN, piece.length));
    this.#send(piece);
    this.#socket.uncork();
  }

  #send(bytes: Buffer): void {
    if (!this.#closed) this.#socket.write(bytes);
  }
}

function exitStatus(payload: Buffer): ExitStatus {
  return {
    code: payload.readUInt32LE(0) & 0xff,
    signal: payload.readUInt32LE(4),
    oomKilled: (payload.readUInt32LE(8) & ExitFlags.OOM) !== 0,
  };
}

function sessionError(payload: Buffer): SessionError {
  return {
    kind: payload.readUInt32LE(0),
    errorNumber: payload.readUInt32LE(4),
    message: payload.subarray(8).toString('utf8'),
  };
}

/** struct hrun_limits: 0 leaves a limit as it is, all ones are none. */
function limitValue(limit: number | undefined): bigint {
  if (limit === undefined) return 0n;
  return limit === Number.POSITIVE_INFINITY ? 2n ** 64n - 1n : BigInt(limit);
}
