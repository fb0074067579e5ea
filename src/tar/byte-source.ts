// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../base/errors.ts';

/** Chunks as they arrive, taken in pieces of any length. */
export class ByteSource {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Exactly `length` bytes; undefined at the end, BAD_ARCHIVE when it comes too early. */
  async take(length: number): Promise<Buffer | undefined> {
    const parts: Buffer[] = [];
    let missing = length;
    while (missing > 0) {
      const part = await this.some(missing);
      if (!part) break;
      parts.push(part);
      missing -= part.length;
    }
    if (missing === 0) return parts.length === 1 ? parts[0] : Buffer.concat(parts);
    if (parts.length === 0) return undefined;
    throw cutShort();
  }

  /** From 1 to `most` bytes; undefined at the end. */
  async some(most: number): Promise<Buffer | undefined> {
    while (this.#rest.length === 0) {
      const next = await this.#chunks.next();
      if (next.done) return undefined;
      this.#rest = next.value;
    }
    const part = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(part.length);
    return part;
  }

  /** Reads what is left, up to the end. */
  async drain(): Promise<void> {
    while (await this.some(Number.MAX_SAFE_INTEGER));
  }

  /** Nothing more is wanted. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }
}

export function cutShort(): HrunError {
  return new HrunError('BAD_ARCHIVE', 'the archive ends too early');
}
