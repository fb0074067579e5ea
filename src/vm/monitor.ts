// SPDX-License-Identifier: Apache-2.0
// Starting and reaching hrun-vmm, the process that owns one VM: docs/monitor.md.
import { spawn } from 'node:child_process';
import { closeSync, constants, openSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { errnoOf, HrunError } from '../base/errors.ts';

const LOG_FILE = 'monitor.log';

/**
 * Starts the monitor of a container's directory in a session of its own, so that it outlives this process.
 * Returns the connection that is its first client.
 */
export function startMonitor(program: string, directory: string): Duplex {
  const log = openSync(join(directory, LOG_FILE), 'a', 0o600);
  try {
    const child = spawn(program, [directory], {
      cwd: '/',
      detached: true,
      env: {},
      stdio: ['ignore', 'ignore', log, 'pipe'],
    });
    const socket = child.stdio[3] as Duplex;
    child.on('error', (error) => socket.destroy(cannotStart(program, error)));
    child.unref();
    return socket;
  } finally {
    closeSync(log);
  }
}

/** The last line of a monitor's own log; empty when it had nothing to say, or is gone with its directory. */
export function monitorLastWords(directory: string): string {
  try {
    const lines = readFileSync(join(directory, LOG_FILE), 'utf8').trimEnd().split('\n');
    return lines.at(-1)!.replace(/^hrun-vmm: /, '');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return '';
    throw error;
  }
}

/** Connects to the control socket of a running monitor; CONTAINER_STATE when there is none. */
export async function connectMonitor(directory: string): Promise<Socket> {
  const fd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    return await connected(`/proc/self/fd/${fd}/control.sock`);
  } catch (error) {
    if (!['ENOENT', 'ECONNREFUSED'].includes(errnoOf(error) ?? '')) throw error;
    throw new HrunError('CONTAINER_STATE', 'the container is not running', { cause: error });
  } finally {
    closeSync(fd);
  }
}

function connected(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
    socket.once('error', reject);
  });
}

function cannotStart(program: string, cause: Error): HrunError {
  return new HrunError('HOST_SETUP', `the monitor ${program} cannot be started: ${cause.message}`, {
    hint: 'run: npm run setup',
    cause,
  });
}
