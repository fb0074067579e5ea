// SPDX-License-Identifier: Apache-2.0
import { writeSync } from 'node:fs';
import { errnoOf } from '../../base/errors.ts';

/** Where a command's words go: results on stdout, progress and warnings on stderr. */
export interface Output {
  /** true when stderr is a terminal: progress may be drawn there */
  readonly interactive: boolean;
  /** columns of the terminal on stderr, or 80 */
  readonly columns: number;
  /** Writes text on stdout as it is, whole, before it returns. */
  write(text: string | Uint8Array): void;
  /** Writes one line on stdout. */
  line(text: string): void;
  /** Writes text on stderr as it is. */
  progress(text: string): void;
  /** Writes one `hrun: …` line on stderr. */
  notice(text: string): void;
}

/** The output of this process. A reader of stdout that went away ends the process quietly, as SIGPIPE would. */
export function processOutput(): Output {
  return {
    interactive: process.stderr.isTTY === true,
    columns: process.stderr.columns || 80,
    write: (text) => writeAll(1, text),
    line: (text) => writeAll(1, `${text}\n`),
    progress: (text) => writeAll(2, text),
    notice: (text) => writeAll(2, `hrun: ${text}\n`),
  };
}

const SIGPIPE_EXIT = 128 + 13;

function writeAll(fd: 1 | 2, text: string | Uint8Array): void {
  let rest: Uint8Array = typeof text === 'string' ? Buffer.from(text) : text;
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      if (errnoOf(error) === 'EAGAIN') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
      else if (errnoOf(error) === 'EPIPE') process.exit(SIGPIPE_EXIT);
      else throw error;
    }
  }
}
