// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../base/errors.ts';
import { MAX_PAYLOAD } from './protocol.ts';

const TLV_HEADER_BYTES = 8;

/** Writes struct hrun_tlv items one after the other, as CONFIGURE and START carry them. */
export class TlvWriter {
  readonly #parts: Buffer[] = [];
  #bytes = 0;

  bytes(tag: number, value: Buffer): this {
    const header = Buffer.allocUnsafe(TLV_HEADER_BYTES);
    header.writeUInt16LE(tag, 0);
    header.writeUInt16LE(0, 2);
    header.writeUInt32LE(value.length, 4);
    this.#parts.push(header, value);
    this.#bytes += TLV_HEADER_BYTES + value.length;
    return this;
  }

  /** Fields joined by NUL; a NUL inside one is refused, except in the last when `binaryTail`. */
  strings(tag: number, fields: readonly string[], binaryTail = false): this {
    const checked = binaryTail ? fields.slice(0, -1) : fields;
    for (const field of checked) {
      if (field.includes('\0')) throw new HrunError('USAGE', `${JSON.stringify(field)} contains a NUL byte`);
    }
    return this.bytes(tag, Buffer.from(fields.join('\0')));
  }

  string(tag: number, value: string): this {
    return this.strings(tag, [value]);
  }

  u32(tag: number, value: number): this {
    const bytes = Buffer.allocUnsafe(4);
    bytes.writeUInt32LE(value);
    return this.bytes(tag, bytes);
  }

  u64(tag: number, value: bigint): this {
    const bytes = Buffer.allocUnsafe(8);
    bytes.writeBigUInt64LE(value);
    return this.bytes(tag, bytes);
  }

  /** Everything written. Throws LIMIT_EXCEEDED past `limit` bytes; `what` names it for the user. */
  finish(what: string, limit = MAX_PAYLOAD): Buffer {
    if (this.#bytes > limit) {
      throw new HrunError('LIMIT_EXCEEDED', `${what} take ${this.#bytes} bytes, the most is ${limit}`);
    }
    return Buffer.concat(this.#parts, this.#bytes);
  }
}
