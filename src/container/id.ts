// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';

const FULL = /^[0-9a-f]{64}$/;
const PREFIX = /^[0-9a-f]{1,64}$/;
const SHORT_LENGTH = 12;

/** A new container id: 64 random hexadecimal digits. */
export function newContainerId(): string {
  return randomBytes(32).toString('hex');
}

/** True for a full container id: only such a name is a container's directory. */
export function isContainerId(text: string): boolean {
  return FULL.test(text);
}

/** True for what may be the beginning of an id. */
export function isIdPrefix(text: string): boolean {
  return PREFIX.test(text);
}

/** The twelve digits that people see. */
export function shortId(id: string): string {
  return id.slice(0, SHORT_LENGTH);
}
