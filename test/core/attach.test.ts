// SPDX-License-Identifier: Apache-2.0
import { Duplex, PassThrough, Writable } from 'node:stream';
import { describe, expect, test, vi } from 'vitest';
import { Attachment, type AttachStreams } from '../../src/core/attach.ts';
import { FrameType } from '../../src/guest/protocol.ts';
import { frame, HELLO, words } from '../fixtures/frames.ts';

const STARTED = frame(FrameType.STARTED, words(1));
const EXIT = frame(FrameType.EXIT, words(3, 0, 0));
const GONE = frame(FrameType.GONE, words(3, 0, 0));

/** A connection whose far end the test plays. */
function connection() {
  const sent: Buffer[] = [];
  const near = new Duplex({
    read() {},
    write(chunk, _encoding, done) {
      sent.push(chunk);
      done();
    },
  });
  const said = () => Buffer.concat(sent);
  return {
    near,
    said,
    say: (...frames: Buffer[]) => near.push(Buffer.concat(frames)),
    hangUp: () => near.push(null),
  };
}

function collecting() {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  return { stream, text: () => Buffer.concat(chunks).toString() };
}

const tick = () => new Promise((resolve) => setTimeout(resolve, 10));

describe('an attachment', () => {
  test('joins both outputs, apart, and tells how it ended', async () => {
    const { near, say } = connection();
    const [out, err] = [collecting(), collecting()];
    const attachment = new Attachment(near, { stdout: out.stream, stderr: err.stream });
    const data = [frame(FrameType.DATA, Buffer.from('o'), 1), frame(FrameType.DATA, Buffer.from('e'), 2)];
    say(HELLO, STARTED, ...data, EXIT, GONE);
    expect(await attachment.ended).toMatchObject({
      started: true,
      gone: true,
      exit: { code: 3 },
      cause: undefined,
    });
    expect([out.text(), err.text()]).toEqual(['o', 'e']);
  });

  test('ends only when all output is written', async () => {
    const { near, say } = connection();
    let finish: (() => void) | undefined;
    const slow = new Writable({
      write(_chunk, _encoding, done) {
        finish = done;
      },
    });
    let ended = false;
    const attachment = new Attachment(near, { stdout: slow });
    void attachment.ended.then(() => {
      ended = true;
    });
    say(HELLO, STARTED, frame(FrameType.DATA, Buffer.from('x'), 1), EXIT, GONE);
    await tick();
    expect(ended).toBe(false);
    finish!();
    await attachment.ended;
  });

  test('holds standard input back until the process runs, then sends it and its end', async () => {
    const { near, say, said } = connection();
    const stdin = new PassThrough();
    const streams: AttachStreams = { stdin };
    const attachment = new Attachment(near, streams);
    say(HELLO);
    stdin.end('typed');
    await tick();
    expect(said().includes('typed')).toBe(false);
    say(STARTED);
    await tick();
    const expected = Buffer.concat([
      frame(FrameType.DATA, Buffer.from('typed'), 0),
      frame(FrameType.DATA, [], 0),
    ]);
    expect(said().subarray(-expected.length)).toEqual(expected);
    say(EXIT, GONE);
    await attachment.ended;
  });

  test('lets go of a standard input that never ends', async () => {
    const { near, say } = connection();
    const stdin = new PassThrough();
    const inputEnded = vi.fn();
    const attachment = new Attachment(near, { stdin }, { inputEnded });
    say(HELLO, STARTED, EXIT, GONE);
    await attachment.ended;
    expect(stdin.destroyed).toBe(true);
    expect(inputEnded).not.toHaveBeenCalled();
  });

  test('goes on without a reader of the output, and says so once', async () => {
    const { near, say } = connection();
    const broken: unknown[] = [];
    const gone = new Writable({
      write: (_c, _e, done) => done(Object.assign(new Error('gone'), { code: 'EPIPE' })),
    });
    const attachment = new Attachment(
      near,
      { stdout: gone },
      { outputBroken: (error) => broken.push(error) },
    );
    const data = frame(FrameType.DATA, Buffer.from('x'), 1);
    say(HELLO, STARTED, data);
    await tick();
    say(data, data, EXIT, GONE);
    expect(await attachment.ended).toMatchObject({ outputError: { code: 'EPIPE' }, exit: { code: 3 } });
    expect(broken).toHaveLength(1);
  });

  test('a connection that ends without a word is told apart', async () => {
    const { near, say, hangUp } = connection();
    const attachment = new Attachment(near, {});
    say(HELLO, STARTED);
    await tick();
    hangUp();
    expect(await attachment.ended).toMatchObject({
      started: true,
      gone: false,
      exit: undefined,
      error: undefined,
    });
  });

  test('leaving is told apart from being left', async () => {
    const { near, say } = connection();
    const attachment = new Attachment(near, {});
    say(HELLO, STARTED);
    await tick();
    attachment.leave();
    expect(await attachment.ended).toMatchObject({ started: true, left: true, gone: false });
  });

  test('an error of the guest is kept with its words', async () => {
    const { near, say } = connection();
    const attachment = new Attachment(near, {});
    const error = frame(FrameType.ERROR, Buffer.concat([words(3, 2), Buffer.from('not found')]));
    say(HELLO, error, frame(FrameType.GONE, words(127, 0, 0)));
    const end = await attachment.ended;
    expect(end).toMatchObject({ started: false, gone: true, error: { kind: 3, message: 'not found' } });
  });
});
