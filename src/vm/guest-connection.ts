// SPDX-License-Identifier: Apache-2.0
import type { Socket } from 'node:net';
import { HrunError } from '../base/errors.ts';
import { connectIn } from './socket.ts';

/** "OK 4294967295\n" */
const LONGEST_ANSWER = 14;

/**
 * Connects to a vsock port of a running container's guest, by the convention of Firecracker's hybrid vsock: `CONNECT <port>`, then
 * `OK <port>`, then the guest's bytes. CONTAINER_STATE when the container is not running or nobody listens on that port.
 */
export async function connectGuest(directory: string, port: number): Promise<Socket> {
  const socket = await connectIn(directory, 'vsock.sock');
  socket.write(`CONNECT ${port}\n`);
  const answer = await firstLine(socket);
  if (/^OK \d+$/.test(answer)) return socket;
  socket.destroy();
  throw new HrunError('CONTAINER_STATE', `the guest does not answer on vsock port ${port}`);
}

/** Reads up to the first line feed and leaves what follows in the socket; empty when it ends before. */
function firstLine(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const done = (line: string) => {
      socket.off('readable', read).off('end', ended).off('error', ended);
      resolve(line);
    };
    const ended = () => done('');
    const read = () => {
      for (let byte = socket.read(1); byte !== null; byte = socket.read(1)) {
        text += byte.toString('latin1');
        if (text.endsWith('\n')) return done(text.slice(0, -1));
        if (text.length > LONGEST_ANSWER) return done('');
      }
    };
    socket.on('readable', read).on('end', ended).on('error', ended);
  });
}
