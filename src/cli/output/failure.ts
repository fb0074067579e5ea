// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../../base/errors.ts';

/**
 * One line for a failed command: what, where, what to do. `debug` (HRUN_DEBUG=1) adds the chain of causes
 * with their stacks, which a person who reports a bug in hrun needs and a user never sees.
 */
export function describeError(error: unknown, debug: boolean): string {
  const line = error instanceof HrunError ? userLine(error) : bugLine(error);
  return debug ? `${line}\n${stacks(error)}` : line;
}

function userLine(error: HrunError): string {
  return oneLine(error.hint ? `${error.message}; ${error.hint}` : error.message);
}

function bugLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return oneLine(`internal error: ${message} (HRUN_DEBUG=1 shows where)`);
}

/** Text that came from an image, a registry or a guest must not steer the terminal. */
function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ').replace(/[\x00-\x1f\x7f-\x9f]/g, '\ufffd');
}

function stacks(error: unknown): string {
  const parts: string[] = [];
  for (let e: unknown = error; e instanceof Error; e = e.cause) parts.push(e.stack ?? e.message);
  return parts.join('\ncaused by: ');
}
