// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FrameType, INITIAL_CREDIT, MAX_DATA, PROTOCOL_MAGIC, Stream } from '../../src/guest/protocol.ts';
import { Session, type SessionEvents } from '../../src/guest/session.ts';
import { frame, HELLO, words } from '../fixtures/frames.ts';

let dir: string;
let peer: Socket;
let client: Socket;
let arrived: Buffer;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'hrun-session-'));
  const server = createServer();
  server.listen(join(dir, 's'));
  client = connect(join(dir, 's'));
  [peer] = (await once(server, 'connection')) as [Socket];
  server.close();
  arrived = Buffer.alloc(0);
  peer.on('data', (chunk: Buffer) => {
    arrived = Buffer.concat([arrived, chunk]);
  });
});

afterEach(() => {
  peer.destroy();
  client.destroy();
  rmSync(dir, { recursive: true });
});

/** A session that writes down what it is told. */
function recorded() {
  const seen: unknown[] = [];
  let closed: (cause: Error | undefined) => void;
  const end = new Promise<Error | undefined>((resolve) => {
    closed = resolve;
  });
  const events: SessionEvents = {
    output: (stream, bytes) => seen.push([stream, bytes.toString('latin1')]),
    outputEnd: (stream) => seen.push([stream, 'end']),
    started: () => seen.push('started'),
    exit: (status) => seen.push(status),
    error: (error) => seen.push(error),
    gone: () => seen.push('gone'),
    close: (cause) => closed(cause),
  };
  return { seen, end, session: new Session(client, events) };
}

/** Takes exactly `count` bytes of what the session sent. */
async function received(count: number): Promise<Buffer> {
  while (arrived.length < count) await once(peer, 'data');
  const taken = arrived.subarray(0, count);
  arrived = arrived.subarray(count);
  return taken;
}

describe('a session', () => {
  test('reads frames however the bytes are cut', async () => {
    const { seen, end } = recorded();
    const wire = Buffer.concat([
      HELLO,
      frame(FrameType.ATTACHED, words(1)),
      frame(FrameType.STARTED, words(7)),
      frame(FrameType.DATA, Buffer.from('hello'), Stream.STDOUT),
      frame(FrameType.DATA, Buffer.from('\0\xff', 'latin1'), Stream.STDERR),
      frame(FrameType.DATA, [], Stream.STDOUT),
      frame(FrameType.EXIT, words(137, 9, 1)),
      frame(FrameType.ERROR, Buffer.concat([words(3, 2), Buffer.from('no such file')])),
      frame(FrameType.GONE, words(137, 9, 1)),
    ]);
    for (const byte of wire) {
      peer.write(Buffer.from([byte]));
      await new Promise(setImmediate);
    }
    peer.end();
    expect(await end).toBeUndefined();
    const text = seen.filter((item) => Array.isArray(item));
    expect(text.filter(([stream]) => stream === 1).map(([, bytes]) => bytes)).toEqual([
      'h',
      'e',
      'l',
      'l',
      'o',
      'end',
    ]);
    expect(text.filter(([stream]) => stream === 2).map(([, bytes]) => bytes)).toEqual(['\0', '\xff']);
    expect(seen[0]).toBe('started');
    expect(seen.slice(-3)).toEqual([
      { code: 137, signal: 9, oomKilled: true },
      { kind: 3, errorNumber: 2, message: 'no such file' },
      'gone',
    ]);
  });

  test('sends no more standard input than was credited', async () => {
    const { session } = recorded();
    peer.write(HELLO);
    const sent = session.input(Buffer.alloc(INITIAL_CREDIT + 10, 'x'));
    await received(16);
    for (let at = 0; at < INITIAL_CREDIT; at += MAX_DATA) {
      expect((await received(8)).readUInt32LE(0)).toBe(MAX_DATA);
      await received(MAX_DATA);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(arrived).toHaveLength(0);
    peer.write(frame(FrameType.CREDIT, words(4)));
    expect((await received(8)).readUInt32LE(0)).toBe(4);
    await received(4);
    peer.write(frame(FrameType.CREDIT, words(100)));
    expect((await received(8)).readUInt32LE(0)).toBe(6);
    await sent;
  });

  test('gives credit back once enough is consumed', async () => {
    const { session } = recorded();
    await received(16);
    session.credit(Stream.STDOUT, INITIAL_CREDIT / 4 - 1);
    session.credit(Stream.STDERR, INITIAL_CREDIT / 4);
    expect(await received(12)).toEqual(frame(FrameType.CREDIT, words(INITIAL_CREDIT / 4), Stream.STDERR));
    session.credit(Stream.STDOUT, 1);
    expect(await received(12)).toEqual(frame(FrameType.CREDIT, words(INITIAL_CREDIT / 4), Stream.STDOUT));
  });

  test('input that waits for credit ends when the connection does', async () => {
    const { session, end } = recorded();
    const sent = session.input(Buffer.alloc(INITIAL_CREDIT + 1));
    peer.destroy();
    await sent;
    await end;
  });

  const hostile: [string, Buffer[]][] = [
    ['another magic', [frame(FrameType.HELLO, words(1, 1))]],
    ['another version', [frame(FrameType.HELLO, words(PROTOCOL_MAGIC, 2))]],
    ['no HELLO first', [frame(FrameType.STARTED, words(1))]],
    ['data before HELLO', [frame(FrameType.DATA, [1], Stream.STDOUT)]],
    ['an unknown type', [HELLO, frame(99)]],
    ['a frame that only a host may send', [HELLO, frame(FrameType.STOP, words(1, 1))]],
    ['a length over the limit', [HELLO, words(0xffff_ffff, FrameType.ERROR)]],
    ['a length under the least', [HELLO, frame(FrameType.EXIT, words(1, 1))]],
    ['data over the limit', [HELLO, words(MAX_DATA + 1, FrameType.DATA | (Stream.STDOUT << 8))]],
    ['data on standard input', [HELLO, frame(FrameType.DATA, [1], Stream.STDIN)]],
    ['a stream out of range', [HELLO, frame(FrameType.DATA, [1], 3)]],
    ['reserved bits', [HELLO, words(0, FrameType.CONFIGURED | 0x10000)]],
    ['credit that was never used', [HELLO, frame(FrameType.CREDIT, words(1))]],
    [
      'more data than was credited',
      [HELLO, ...Array(5).fill(frame(FrameType.DATA, Buffer.alloc(MAX_DATA), Stream.STDOUT))],
    ],
  ];
  test.each(hostile)('ends on a peer that sends %s', async (_what, frames) => {
    const { end } = recorded();
    peer.on('error', () => {});
    peer.write(Buffer.concat(frames));
    expect(await end).toMatchObject({ code: 'PROTOCOL' });
  });
});
