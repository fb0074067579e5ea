// SPDX-License-Identifier: Apache-2.0
import { closeSync, constants, openSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { errnoOf, HrunError } from '../base/errors.ts';

/**
 * Connects to a socket in a container's directory, however long the directory's path is; CONTAINER_STATE when nobody
 * listens there.
 */
export async function connectIn(directory: string, name: string): Promise<Socket> {
  const fd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    return await connected(`/proc/self/fd/${fd}/${name}`);
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
