// SPDX-License-Identifier: Apache-2.0
// Files in a directory that somebody untrusted may have written to, as a monitor that its guest has taken over: a symbolic
// link there could name any file, a FIFO would keep its reader waiting for ever.
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { errnoOf } from './errors.ts';

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;

/** Opens a plain file, never through a link; `flags` as open(2) has them. ELOOP or EINVAL when it is something else. */
export function openRegularFile(path: string, flags: number = O_RDONLY, mode?: number): number {
  const fd = openSync(path, flags | O_NOFOLLOW | O_NONBLOCK, mode);
  if (fstatSync(fd).isFile()) return fd;
  closeSync(fd);
  throw Object.assign(new Error(`EINVAL: not a regular file, open '${path}'`), { code: 'EINVAL', path });
}

/** True for an error that says: there is no such file, or it is not a plain one. */
export function isNoRegularFile(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR', 'ELOOP', 'EINVAL', 'EISDIR', 'ENXIO'].includes(errnoOf(error) ?? '');
}

/** The content of a plain file as text. */
export function readRegularFile(path: string): string {
  const fd = openRegularFile(path);
  try {
    return readFileSync(fd, 'utf8');
  } finally {
    closeSync(fd);
  }
}
