// SPDX-License-Identifier: Apache-2.0
// Frames as initrd/protocol.h defines them: an 8-byte header, then the payload. The peer is hostile.
import { HrunError } from '../base/errors.ts';
import { FrameType, HEADER_BYTES, MAX_DATA, MAX_MESSAGE, type OutputStream, Stream } from './protocol.ts';

/** What a reader hands on. DATA comes in pieces, as it arrives: a frame is never collected. */
export interface FrameSink {
  data(stream: OutputStream, bytes: Buffer): void;
  /** an empty DATA frame */
  end(stream: OutputStream): void;
  /** any other frame, whole; `payload` is valid until the call returns */
  frame(type: number, stream: number, payload: Buffer): void;
}

/** Payload sizes, least and most, of every frame that a host may receive. */
const LIMITS: ReadonlyMap<number, readonly [number, number]> = new Map([
  [FrameType.HELLO, [8, 8]],
  [FrameType.CONFIGURED, [0, 0]],
  [FrameType.STARTED, [4, 4]],
  [FrameType.DATA, [0, MAX_DATA]],
  [FrameType.CREDIT, [4, 4]],
  [FrameType.EXIT, [12, 12]],
  [FrameType.ERROR, [8, 8 + MAX_MESSAGE]],
  [FrameType.SHUTDOWN_DONE, [0, 0]],
  [FrameType.PAUSED, [0, 0]],
  [FrameType.RESUMED, [0, 0]],
  [FrameType.USED, [72, 72]],
  [FrameType.LIMITED, [0, 0]],
  [FrameType.NETWORKED, [0, 0]],
  [FrameType.ATTACHED, [4, 4]],
  [FrameType.TRACE, [16, 16]],
  [FrameType.GONE, [12, 12]],
]);

/** A frame's header; the payload of `length` bytes follows it on the wire. */
export function frameHeader(type: number, stream: number, length: number): Buffer {
  const header = Buffer.allocUnsafe(HEADER_BYTES);
  header.writeUInt32LE(length, 0);
  header[4] = type;
  header[5] = stream;
  header.writeUInt16LE(0, 6);
  return header;
}

/** A frame whose payload is a few unsigned 32-bit integers. */
export function wordFrame(type: number, stream: number, ...words: number[]): Buffer {
  const frame = Buffer.allocUnsafe(HEADER_BYTES + 4 * words.length);
  frameHeader(type, stream, 4 * words.length).copy(frame);
  for (const [index, word] of words.entries()) frame.writeUInt32LE(word, HEADER_BYTES + 4 * index);
  return frame;
}

/** Cuts a byte stream into frames. Keeps at most one header and one small payload. */
export class FrameReader {
  readonly #sink: FrameSink;
  readonly #header = Buffer.alloc(HEADER_BYTES);
  #headerBytes = 0;
  #payload: Buffer = Buffer.alloc(0);
  #payloadBytes = 0;
  #remaining = 0;
  #stopped = false;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** Takes the next bytes of the connection. Throws PROTOCOL on a frame that breaks the contract. */
  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length && !this.#stopped) {
      at += this.#headerBytes < HEADER_BYTES ? this.#takeHeader(chunk, at) : this.#takePayload(chunk, at);
    }
  }

  /** Ignores everything from here on: for a sink that ends the connection inside a call. */
  stop(): void {
    this.#stopped = true;
  }

  #takeHeader(chunk: Buffer, at: number): number {
    const taken = chunk.copy(this.#header, this.#headerBytes, at, at + HEADER_BYTES - this.#headerBytes);
    this.#headerBytes += taken;
    if (this.#headerBytes === HEADER_BYTES) this.#beginPayload();
    return taken;
  }

  #beginPayload(): void {
    const length = this.#header.readUInt32LE(0);
    checkHeader(this.#header, length);
    this.#remaining = length;
    this.#payloadBytes = 0;
    if (this.#type !== FrameType.DATA) this.#payload = Buffer.allocUnsafe(length);
    if (length === 0) this.#endFrame();
  }

  #takePayload(chunk: Buffer, at: number): number {
    const piece = chunk.subarray(at, at + this.#remaining);
    this.#remaining -= piece.length;
    if (this.#type === FrameType.DATA) this.#deliverData(piece);
    else this.#payloadBytes += piece.copy(this.#payload, this.#payloadBytes);
    if (this.#remaining === 0) this.#endFrame();
    return piece.length;
  }

  #deliverData(piece: Buffer): void {
    this.#sink.data(this.#stream as OutputStream, piece);
  }

  #endFrame(): void {
    const empty = this.#header.readUInt32LE(0) === 0;
    this.#headerBytes = 0;
    if (this.#type !== FrameType.DATA) this.#sink.frame(this.#type, this.#stream, this.#payload);
    else if (empty) this.#sink.end(this.#stream as OutputStream);
  }

  get #type(): number {
    return this.#header[4]!;
  }

  get #stream(): number {
    return this.#header[5]!;
  }
}

function checkHeader(header: Buffer, length: number): void {
  const type = header[4]!;
  const stream = header[5]!;
  const limits = LIMITS.get(type);
  if (!limits) throw broken(`frame of unknown type ${type}`);
  if (length < limits[0] || length > limits[1]) throw broken(`frame of type ${type} with ${length} bytes`);
  if (header.readUInt16LE(6) !== 0) throw broken(`frame of type ${type} with reserved bits set`);
  if (!streamFits(type, stream)) throw broken(`frame of type ${type} on stream ${stream}`);
}

function streamFits(type: number, stream: number): boolean {
  if (type === FrameType.DATA) return stream === Stream.STDOUT || stream === Stream.STDERR;
  return stream === 0;
}

/** The peer broke the contract of initrd/protocol.h. */
export function broken(what: string): HrunError {
  return new HrunError('PROTOCOL', `the micro-VM's monitor or agent broke its protocol: ${what}`, {
    hint: 'hrun and its native parts may be of different versions: run npm run setup',
  });
}
