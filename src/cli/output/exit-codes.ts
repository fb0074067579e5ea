// SPDX-License-Identifier: Apache-2.0
import { type ErrorCode, HrunError } from '../../base/errors.ts';

/** Error codes whose exit code does not depend on the command, as Docker's. */
const EXIT_CODES: Partial<Record<ErrorCode, number>> = {
  USAGE: 125,
  COMMAND_NOT_FOUND: 127,
  COMMAND_NOT_EXECUTABLE: 126,
  START_FAILED: 126,
};

const INTERNAL_ERROR = 125;

/** The exit code of a failed command; `fallback` is the command's own code for any other HrunError. */
export function exitCodeOf(error: unknown, fallback: number): number {
  if (!(error instanceof HrunError)) return INTERNAL_ERROR;
  return EXIT_CODES[error.code] ?? fallback;
}
