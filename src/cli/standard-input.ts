// SPDX-License-Identifier: Apache-2.0
import { createReadStream } from 'node:fs';
import { isatty } from 'node:tty';
import { HrunError } from '../base/errors.ts';

/** The bytes of standard input as they come; USAGE when it is a terminal. */
export function standardInput(): AsyncIterable<Buffer> {
  if (isatty(0)) {
    throw new HrunError('USAGE', 'an archive does not come from a terminal', {
      hint: 'redirect standard input',
    });
  }
  return createReadStream('', { fd: 0, autoClose: false });
}
