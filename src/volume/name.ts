// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { HrunError } from '../base/errors.ts';

/** What Docker puts on a volume that was given no name. */
export const ANONYMOUS_LABEL = 'com.docker.volume.anonymous';

const VALID = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,254}$/;

/** The name of a volume that was given none: 64 random hexadecimal digits. */
export function newAnonymousName(): string {
  return randomBytes(32).toString('hex');
}

/** True for a name: only such a one is a volume's directory. */
export function isVolumeName(text: string): boolean {
  return VALID.test(text);
}

/** Checks a name that a user gave; USAGE, in Docker's words. */
export function checkVolumeName(name: string): string {
  if (isVolumeName(name)) return name;
  throw new HrunError(
    'USAGE',
    `create ${name}: ${JSON.stringify(name)} includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed`,
    { hint: 'if you intended to pass a host directory, use absolute path' },
  );
}
