// SPDX-License-Identifier: Apache-2.0
import { type ErrorCode, HrunError } from '../base/errors.ts';
import { ErrorKind, type SessionError } from '../guest/index.ts';

const CODES: Readonly<Record<number, ErrorCode>> = {
  [ErrorKind.PROTOCOL]: 'PROTOCOL',
  [ErrorKind.CONFIG]: 'CONFIGURE_FAILED',
  [ErrorKind.NOT_FOUND]: 'COMMAND_NOT_FOUND',
  [ErrorKind.NOT_EXECUTABLE]: 'COMMAND_NOT_EXECUTABLE',
  [ErrorKind.USER]: 'NO_SUCH_USER',
  [ErrorKind.CWD]: 'START_FAILED',
  [ErrorKind.START]: 'START_FAILED',
  [ErrorKind.VM]: 'VM_FAILED',
  [ErrorKind.HOST]: 'VM_FAILED',
};

/** The error of an ERROR frame, for the user. Its text is the guest's: only as a message, never as code. */
export function sessionFailure({ kind, message }: SessionError): HrunError {
  return new HrunError(CODES[kind] ?? 'PROTOCOL', message || `the guest failed with error kind ${kind}`);
}

/** The connection to the monitor ended before its time; `lastWords` of its log, if there are any, say why. */
export function monitorDied(name: string, cause: Error | undefined, lastWords: string): HrunError {
  if (cause instanceof HrunError) return cause;
  const why = lastWords ? `ended: ${lastWords}` : 'was killed, and its VM with it';
  return new HrunError('VM_FAILED', `the monitor of container ${name} ${why}`, { cause });
}
