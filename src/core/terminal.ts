// SPDX-License-Identifier: Apache-2.0
import { native, type RawTerminal } from '../native/index.ts';

/** Sets the terminal `fd` to raw mode, for output too. */
export function rawTerminal(fd: number): RawTerminal {
  return native().rawTerminal(fd);
}
