// SPDX-License-Identifier: Apache-2.0
// The journal of what happens in a store: docs/store.md. Keepers write to it too (native/monitor/event_journal.cc).
import { closeSync, constants, fstatSync, openSync, renameSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import { native } from '../native/index.ts';

/** An event as the journal has it, and as Docker's API sends it. */
export interface StoreEvent {
  /** of containers and images: as `Action`; with `id` and `from` from Docker's first days */
  status?: string;
  id?: string;
  from?: string;
  Type: 'container' | 'image' | 'network' | 'volume';
  Action: string;
  Actor: { ID: string; Attributes: Record<string, string> };
  scope: 'local';
  /** seconds since 1970 */
  time: number;
  timeNano: number;
}

export type NewEvent = Omit<StoreEvent, 'scope' | 'time' | 'timeNano'>;

// native/monitor/event_journal.cc has the same names and limit.
export const JOURNAL = 'events.log';
export const OLDER_JOURNAL = 'events.log.1';
const LOCK = 'events.lock';
const MAX_BYTES = 1024 * 1024;

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_WRONLY } = constants;

/** Appends an event that has just happened, in one write. What fails is not worth more than a missing line. */
export function recordEvent(root: Root, event: NewEvent): void {
  try {
    append(root, `\n${JSON.stringify({ ...event, scope: 'local', ...now() })}\n`);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
  }
}

/** The line feed before the line parts it from one that a full disk or a power cut has left unfinished. */
function append(root: Root, line: string): void {
  let file = openJournal(root);
  try {
    const full = fstatSync(file);
    if (full.size >= MAX_BYTES) {
      rotate(root, full.ino);
      closeSync(file);
      file = openJournal(root);
    }
    writeSync(file, line);
  } finally {
    closeSync(file);
  }
}

function openJournal(root: Root): number {
  return openSync(join(root.dir, JOURNAL), O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600);
}

/** One of two who find the journal full renames it; who has it open then writes to the older one, where it is read too. */
function rotate(root: Root, full: number): void {
  const lock = native().lockFile(join(root.dir, LOCK), { shared: false, wait: false });
  if (!lock) return;
  try {
    const path = join(root.dir, JOURNAL);
    if (statSync(path).ino === full) renameSync(path, join(root.dir, OLDER_JOURNAL));
  } finally {
    lock.release();
  }
}

const NANO_PER_MS = 1_000_000;

/** Nanoseconds since 1970 do not fit a double: the last digits are rounded, as in JavaScript clients of Docker's. */
function now(): { time: number; timeNano: number } {
  const ms = performance.timeOrigin + performance.now();
  return { time: Math.floor(ms / 1000), timeNano: Math.round(ms * NANO_PER_MS) };
}
