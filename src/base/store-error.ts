// SPDX-License-Identifier: Apache-2.0
import { type ErrorCode, errnoOf, HrunError } from './errors.ts';

const CODES: Readonly<Record<string, ErrorCode>> = {
  ENOSPC: 'DISK_FULL',
  EDQUOT: 'DISK_FULL',
  EFBIG: 'DISK_FULL',
  EACCES: 'STORE_UNREADABLE',
  EPERM: 'STORE_UNREADABLE',
  EROFS: 'STORE_UNREADABLE',
  EIO: 'STORE_UNREADABLE',
  ENOENT: 'STORE_UNREADABLE',
  ENOTDIR: 'STORE_UNREADABLE',
  EISDIR: 'STORE_UNREADABLE',
  ELOOP: 'STORE_UNREADABLE',
};

/** True for a system error that says that there is no room. */
export function isDiskFull(errno: string): boolean {
  return CODES[errno] === 'DISK_FULL';
}

/** The HrunError for a system error met in the store at `path`; anything else comes back as it is. */
export function storeError(error: unknown, path: string): unknown {
  const errno = errnoOf(error);
  const code = errno === undefined || error instanceof HrunError ? undefined : CODES[errno];
  if (code === undefined) return error;
  if (code === 'DISK_FULL') {
    return new HrunError('DISK_FULL', `no space left for ${path}`, {
      hint: 'free some space, for example by hrun rmi, and try again',
      cause: error,
    });
  }
  return new HrunError('STORE_UNREADABLE', `the store cannot be used: ${errno} at ${path}`, {
    hint: 'check its owner and mode, or set HRUN_ROOT',
    cause: error,
  });
}

/** Runs `work` and words its system errors as the store's, at `path`. */
export async function inStore<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw storeError(error, path);
  }
}
