// SPDX-License-Identifier: Apache-2.0
// One 512-byte header of a tar archive (POSIX.1-2017 pax, ustar; GNU's base-256 numbers).

export const BLOCK = 512;

export interface TarHeader {
  name: string;
  /** bytes of content that follow */
  size: number;
  /** the type flag: '0' file, '2' symbolic link, 'x' pax header, 'L' and 'K' GNU long names, … */
  type: string;
  linkName: string;
}

/** Parses a header; undefined when its checksum is wrong or a number makes no sense. */
export function parseTarHeader(block: Buffer): TarHeader | undefined {
  const size = parseNumber(block.subarray(124, 136));
  if (size === undefined || parseNumber(block.subarray(148, 156)) !== checksum(block)) return undefined;
  const prefix = block.toString('latin1', 257, 262) === 'ustar' ? text(block, 345, 155) : '';
  const name = text(block, 0, 100);
  const flag = String.fromCharCode(block[156]!);
  return {
    name: prefix ? `${prefix}/${name}` : name,
    size,
    type: flag === '\0' || flag === '7' ? '0' : flag,
    linkName: text(block, 157, 100),
  };
}

/** A header for a regular file of `size` bytes, `mode` or 0644, owner root, made at the epoch; `name` fits 100 bytes. */
export function makeTarHeader(name: string, size: number, mode = 0o644): Buffer {
  const block = Buffer.alloc(BLOCK);
  if (block.write(name, 0, 100) !== Buffer.byteLength(name))
    throw new Error(`name too long for a tar header: ${name}`);
  writeNumber(block.subarray(100, 108), mode);
  block.write('0000000\0', 108);
  block.write('0000000\0', 116);
  writeNumber(block.subarray(124, 136), size);
  block.write('00000000000\0', 136);
  block.write('0', 156);
  block.write('ustar\x0000', 257, 'latin1');
  block.write(`${checksum(block).toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

/** Zeros that fill up the last block of `size` bytes of content. */
export function padding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}

function text(block: Buffer, start: number, length: number): string {
  const field = block.subarray(start, start + length);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? length : end);
}

/** Octal text, or GNU's base-256 when the first bit is set; undefined when it is neither or too large. */
export function parseNumber(field: Buffer): number | undefined {
  if (field[0]! & 0x80) {
    const digits = [field[0]! & 0x7f, ...field.subarray(1)];
    const value = digits.reduce((sum, digit) => sum * 256 + digit, 0);
    return Number.isSafeInteger(value) ? value : undefined;
  }
  const [, digits] = /^[ \0]*([0-7]*)[ \0]*$/.exec(field.toString('latin1')) ?? [];
  return digits === undefined ? undefined : Number.parseInt(digits || '0', 8);
}

/** Octal text, or GNU's base-256 for what does not fit. */
export function writeNumber(field: Buffer, value: number): void {
  const octal = value.toString(8);
  if (octal.length < field.length) {
    field.write(`${octal.padStart(field.length - 1, '0')}\0`);
    return;
  }
  field.writeBigUInt64BE(BigInt(value), field.length - 8);
  field[0] = 0x80;
}

/** Sum of the header's bytes, its own field taken as spaces. */
export function checksum(block: Buffer): number {
  let sum = 8 * 0x20;
  for (let i = 0; i < BLOCK; i++) if (i < 148 || i >= 156) sum += block[i]!;
  return sum;
}
