// SPDX-License-Identifier: Apache-2.0

/** What an entry of a tar archive is; the values are POSIX's type flags. */
export const EntryType = {
  FILE: '0',
  HARD_LINK: '1',
  SYMBOLIC_LINK: '2',
  CHARACTER_DEVICE: '3',
  BLOCK_DEVICE: '4',
  DIRECTORY: '5',
  FIFO: '6',
} as const;

/**
 * An entry of a tar archive. Names are bytes and here strings of Latin-1: one character for each byte, whatever encoding
 * a name has, or none.
 */
export interface TarEntry {
  path: string;
  type: string;
  /** of a link; else empty */
  link: string;
  /** permission bits */
  mode: number;
  uid: number;
  gid: number;
  /** bytes of content in the archive */
  size: number;
  /** seconds since the epoch, with a fraction */
  mtime: number;
  major: number;
  minor: number;
  xattrs: ReadonlyMap<string, Buffer>;
  /** GNU sparse format 1.0: bytes of the file; the content begins with a map */
  realSize: number | undefined;
}

/** The bytes that a Latin-1 name stands for. */
export function nameBytes(name: string): Buffer {
  return Buffer.from(name, 'latin1');
}
