// SPDX-License-Identifier: Apache-2.0
// Ports of the host that somebody else has to be told of before the container's keeper takes them.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, isIPv6 } from 'node:net';
import { errnoOf, HrunError } from '../base/errors.ts';
import type { PortBinding } from '../container/index.ts';
import { hostPortText } from '../network/index.ts';

/** Something that listens at a port. */
interface Held {
  port: number;
  close(): void;
}

/** The same with one host port each, of those that are free now. HOST_SETUP, in Docker's words, when there is none. */
export async function chooseHostPorts(bindings: readonly PortBinding[]): Promise<PortBinding[]> {
  const held: Held[] = [];
  try {
    for (const binding of bindings) held.push(await holdOne(binding));
    return bindings.map((binding, index) => ({ ...binding, hostPort: String(held[index]!.port) }));
  } finally {
    for (const each of held) each.close();
  }
}

async function holdOne(binding: PortBinding): Promise<Held> {
  const { hostPort } = binding;
  const [first = 0, last = first] = hostPort === '' ? [0] : hostPort.split('-').map(Number);
  for (let port = first; port <= last; port++) {
    try {
      return await hold(binding, port);
    } catch (error) {
      if (errnoOf(error) !== 'EADDRINUSE') throw cannotHold(binding, 'cannot be taken', error);
    }
  }
  throw cannotHold(binding, first === last ? 'port is already allocated' : 'all ports are allocated');
}

async function hold({ protocol, hostIp }: PortBinding, port: number): Promise<Held> {
  const host = hostIp || '0.0.0.0';
  if (protocol === 'tcp') {
    const server = createServer();
    server.listen({ port, host, exclusive: true, ipv6Only: isIPv6(host) });
    await once(server, 'listening');
    return { port: (server.address() as { port: number }).port, close: () => server.close() };
  }
  const socket = createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4', ipv6Only: isIPv6(host) });
  socket.bind({ port, address: host, exclusive: true });
  await once(socket, 'listening');
  return { port: socket.address().port, close: () => socket.close() };
}

function cannotHold({ hostIp, hostPort }: PortBinding, why: string, cause?: unknown): HrunError {
  const what = hostPortText(hostIp || '0.0.0.0', hostPort || '0');
  const system = cause instanceof Error ? `: ${cause.message}` : '';
  return new HrunError('HOST_SETUP', `Bind for ${what} failed: ${why}${system}`, { cause });
}
