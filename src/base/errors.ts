// SPDX-License-Identifier: Apache-2.0
import { getSystemErrorMessage } from 'node:util';

/** Every way a user can make hrun fail, by a stable name. The exit codes are in src/cli/output/exit-codes.ts. */
export type ErrorCode =
  | 'USAGE' // the command line is wrong
  | 'CONFIG' // a configuration file is wrong
  | 'BAD_REFERENCE' // not a valid image name
  | 'NO_SUCH_IMAGE'
  | 'AMBIGUOUS_ID'
  | 'IMAGE_IN_USE'
  | 'NO_SUCH_CONTAINER'
  | 'NO_SUCH_VOLUME'
  | 'VOLUME_IN_USE'
  | 'NO_SUCH_NETWORK'
  | 'NETWORK_IN_USE'
  | 'NO_SUCH_TEMPLATE'
  | 'NO_SUCH_CHECKPOINT'
  | 'ADDRESS_IN_USE' // or none is left
  | 'NO_SUCH_PORT' // published of the container
  | 'NAME_IN_USE'
  | 'CONTAINER_STATE' // the operation does not fit the container's state
  | 'REGISTRY_UNREACHABLE'
  | 'REGISTRY_DENIED' // authentication or authorization failed
  | 'REGISTRY_ERROR' // the registry answered with an error, or with nonsense
  | 'NO_SUCH_REMOTE_IMAGE' // the registry knows no such repository, tag or digest
  | 'WRONG_PLATFORM'
  | 'DIGEST_MISMATCH'
  | 'CORRUPT_LAYER' // truncated, bad CRC, not a tar, diffID differs
  | 'LIMIT_EXCEEDED' // a bomb: a stated limit was passed
  | 'BAD_ARCHIVE' // docker-archive or oci-archive that is not one
  | 'BAD_IMAGE' // manifest or config that does not fit its schema
  | 'UNSUPPORTED'
  | 'DISK_FULL'
  | 'STORE_UNREADABLE'
  | 'STORE_CORRUPT'
  | 'HOST_SETUP' // something hrun needs is missing on this host
  | 'MEMORY_TOO_SMALL'
  | 'VM_FAILED' // the VM did not boot, or died
  | 'BENCH_FAILED' // one of what is measured does not work
  | 'CHECKPOINT_FAILED' // the machine could not be saved; it goes on
  | 'TEMPLATE_FAILED' // the machine that containers are to start from cannot be made
  | 'POOL_FAILED' // a machine that is to wait for a container cannot be made
  | 'NO_SUCH_POOL'
  | 'COMMAND_NOT_FOUND'
  | 'COMMAND_NOT_EXECUTABLE'
  | 'START_FAILED'
  | 'CONFIGURE_FAILED' // the guest could not set up the container's mounts, files or sysctls
  | 'NO_SUCH_FILE' // in a container, or of the host for it
  | 'COPY_FAILED' // files between container and host
  | 'NO_SUCH_USER' // user or group is not in the image
  | 'OUTPUT_FAILED' // standard output or error cannot be written
  | 'PROTOCOL';

/**
 * An error a user can reach. The message is one line that names the offending value; `hint` is one line
 * that says what to do. A plain `Error` that reaches the top is a bug in hrun.
 */
export class HrunError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'HrunError';
    this.code = code;
    this.hint = options.hint;
  }
}

/** True for a HrunError with this code: catch only what you expect. */
export function hasCode(error: unknown, code: ErrorCode): error is HrunError {
  return error instanceof HrunError && error.code === code;
}

/** What the system says of a Node system error, as strerror(3): "no such file or directory"; else the error's own words. */
export function systemMessage(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'errno' in error && typeof error.errno === 'number'
    ? getSystemErrorMessage(error.errno)
    : error.message;
}

/** The errno name ('ENOENT') of a Node system error, or undefined. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
