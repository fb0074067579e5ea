// SPDX-License-Identifier: Apache-2.0
import { isatty } from 'node:tty';
import { HrunError } from '../base/errors.ts';
import type { TerminalSize } from '../core/container-options.ts';
import { rawTerminal } from '../core/terminal.ts';

const STDIN_FD = 0;

/** How a run uses the terminal it was called from. */
export interface TerminalUse {
  /** standard input goes to the container */
  stdin: boolean;
  /** the terminal is in raw mode while the container runs */
  raw: boolean;
  size: TerminalSize | undefined;
}

/** `-t` on a terminal attaches standard input, `-i` always; `-t -i` without one is an error, as Docker's. */
export function terminalUse({ tty, stdin }: { tty: boolean; stdin: boolean }): TerminalUse {
  if (!tty) return { stdin, raw: false, size: undefined };
  const raw = isatty(STDIN_FD);
  if (stdin && !raw) {
    throw new HrunError('USAGE', 'the input device is not a terminal', { hint: 'leave out -t' });
  }
  return { stdin: raw, raw, size: windowSize() };
}

/** Sets raw mode until the result is disposed of, however the process ends by itself. */
export function enterRawMode(): Disposable {
  const terminal = rawTerminal(STDIN_FD);
  const restore = () => terminal.restore();
  process.once('exit', restore);
  return {
    [Symbol.dispose]: () => {
      process.off('exit', restore);
      restore();
    },
  };
}

/** Calls `changed` with each new size of the window until the result is disposed of. */
export function watchWindow(changed: (size: TerminalSize) => void): Disposable {
  const resized = () => {
    const size = windowSize();
    if (size) changed(size);
  };
  process.stdout.on('resize', resized);
  return { [Symbol.dispose]: () => void process.stdout.off('resize', resized) };
}

/** Size of the window on standard output, if that is one. */
export function windowSize(): TerminalSize | undefined {
  const { rows, columns } = process.stdout;
  return rows && columns ? { rows, columns } : undefined;
}
