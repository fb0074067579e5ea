// SPDX-License-Identifier: Apache-2.0
// Running containers that are saved with memory and disk, and go on from there: docs/checkpoint.md.
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { eventually, FIXTURES, TestStore } from './hrun.ts';

const store = new TestStore();
beforeAll(() => store.load(FIXTURES));
afterEach(() => store.clear());
afterAll(() => store.remove());

/** Counts in a variable of a shell, ten times a second, to its output and to a file. */
const COUNTS = 'n=0; while :; do n=$((n+1)); echo $n; echo $n >> /counted; sleep 0.1; done';

const count = async (...options: string[]) =>
  await store.ok('run', '-d', '--name', 'counter', ...options, 'busybox', 'sh', '-c', COUNTS);

const counted = async () => (await store.ok('logs', 'counter')).split('\n').map(Number);
const written = async () => (await store.ok('exec', 'counter', 'cat', '/counted')).split('\n').map(Number);
const status = async () => await store.ok('inspect', '-f', '{{.State.Status}}', 'counter');
const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

async function reaches(number: number): Promise<void> {
  await eventually(async () => (await counted()).at(-1)! >= number);
}

const checkpointDirectory = (name: string) =>
  join(store.dir, 'containers', store.containers()[0]!, 'settings/checkpoints', name);

describe('a checkpoint', () => {
  test('ends the container, which goes on from it: memory, disk and output follow without a gap', async () => {
    await count();
    await reaches(5);
    expect(await store.ok('checkpoint', 'create', 'counter', 'first')).toBe('first');
    expect(await status()).toBe('exited');
    expect(await store.ok('inspect', '-f', '{{.State.ExitCode}}', 'counter')).toBe('137');
    const before = await counted();
    expect(before).toEqual(upTo(before.length));

    expect(await store.ok('start', '--checkpoint', 'first', 'counter')).toBe('');
    await reaches(before.length + 5);
    const after = await counted();
    expect(after).toEqual(upTo(after.length));
    const inFile = await written();
    expect(inFile).toEqual(upTo(inFile.length));
    expect(inFile.length).toBeGreaterThanOrEqual(before.length + 5);
  });

  test('leaves it running if asked to, in the same machine, with time and random numbers of now', async () => {
    const seeds = 'cat /proc/sys/kernel/random/uuid; date +%s';
    await count();
    await reaches(3);
    const pid = await store.ok('inspect', '-f', '{{.State.Pid}}', 'counter');
    for (const name of ['one', 'two']) {
      expect(await store.ok('checkpoint', 'create', '--leave-running', 'counter', name)).toBe(name);
      expect(await status()).toBe('running');
    }
    expect(await store.ok('inspect', '-f', '{{.State.Pid}}', 'counter')).toBe(pid);
    await reaches((await counted()).length + 5);
    const all = await counted();
    expect(all).toEqual(upTo(all.length));
    expect(await store.ok('checkpoint', 'ls', 'counter')).toBe('CHECKPOINT NAME\none\ntwo');

    // Two that go on from the same memory.
    const drawn: string[] = [];
    for (const name of ['one', 'one', 'two']) {
      await store.ok('kill', 'counter');
      await store.ok('start', '--checkpoint', name, 'counter');
      const before = Date.now() / 1000;
      const [uuid, seconds] = (await store.ok('exec', 'counter', 'sh', '-c', seeds)).split('\n');
      drawn.push(uuid!);
      expect(Number(seconds)).toBeGreaterThan(before - 5);
      expect(Number(seconds)).toBeLessThan(Date.now() / 1000 + 5);
    }
    expect(new Set(drawn).size).toBe(3);
    const inFile = await written();
    expect(inFile).toEqual(upTo(inFile.length));
  });

  test('takes the disk back to the moment of the memory', async () => {
    await count();
    await reaches(3);
    await store.ok('exec', 'counter', 'sh', '-c', 'echo kept > /kept');
    await store.ok('checkpoint', 'create', '--leave-running', 'counter', 'early');
    await store.ok('exec', 'counter', 'sh', '-c', 'rm /kept; echo later > /later; sync');
    await store.ok('stop', '-t', '0', 'counter');
    await store.ok('start', '--checkpoint', 'early', 'counter');
    expect(await store.ok('exec', 'counter', 'sh', '-c', 'cat /kept; test -e /later || echo not yet')).toBe(
      'kept\nnot yet',
    );
    // It is a container like any other: the disk it goes on with stays its own.
    await store.ok('exec', 'counter', 'sh', '-c', 'echo anew > /anew; sync');
    await store.ok('restart', '-t', '0', 'counter');
    expect(await store.ok('exec', 'counter', 'cat', '/kept', '/anew')).toBe('kept\nanew');
  });

  test('keeps standard input, a terminal and who is attached', async () => {
    const attached = store.start(
      ['run', '-i', '--name', 'counter', 'busybox', 'sh', '-c', 'while read line; do echo "got $line"; done'],
      {
        stdin: 'pipe',
      },
    );
    attached.stdin!.write('one\n');
    await eventually(async () => (await store.hrun(['logs', 'counter'])).stdout === 'got one\n');
    await store.ok('checkpoint', 'create', '--leave-running', 'counter', 'talk');
    attached.stdin!.write('two\n');
    await eventually(async () => (await store.hrun(['logs', 'counter'])).stdout === 'got one\ngot two\n');
    attached.stdin!.end();
    expect(await attached).toMatchObject({ exitCode: 0, stdout: 'got one\ngot two\n' });

    const again = store.start(['start', '-a', '-i', '--checkpoint', 'talk', 'counter'], { stdin: 'pipe' });
    again.stdin!.end('three\n');
    expect(await again).toMatchObject({ exitCode: 0, stdout: 'got three\n', stderr: '' });
  });

  test('is private, lies where its user wants it, and goes with the container or by itself', async () => {
    const elsewhere = join(store.dir, 'elsewhere');
    await count('--rm');
    await reaches(2);
    expect(await store.hrun(['checkpoint', 'create', 'counter', 'gone'])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('is removed at its end (--rm)'),
    });
    await store.ok('checkpoint', 'create', '--leave-running', 'counter', 'inside');
    expect(statSync(checkpointDirectory('inside')).mode & 0o777).toBe(0o700);
    for (const file of readdirSync(checkpointDirectory('inside')))
      expect(statSync(join(checkpointDirectory('inside'), file)).mode & 0o777).toBe(0o600);
    await store.ok('checkpoint', 'rm', 'counter', 'inside');
    expect(await store.ok('checkpoint', 'ls', 'counter')).toBe('CHECKPOINT NAME');
    expect(await store.hrun(['checkpoint', 'rm', 'counter', 'inside'])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('no such checkpoint: inside'),
    });

    await store.ok('checkpoint', 'create', '--checkpoint-dir', elsewhere, 'counter', 'outside');
    await eventually(() => store.containers().length === 0);
    expect(readdirSync(elsewhere)).toEqual(['outside']);
    await store.ok('create', '--name', 'counter', 'busybox', 'sh', '-c', COUNTS);
    await store.ok('start', '--checkpoint-dir', elsewhere, '--checkpoint', 'outside', 'counter');
    const list = await written();
    expect(list).toEqual(upTo(list.length));
    await store.ok('rm', '-f', 'counter');
  });

  test('is told as an event', async () => {
    await count();
    await store.ok('checkpoint', 'create', '--leave-running', 'counter', 'told');
    const events = await store.ok('events', '--since', '1m', '--until', '0s', '--format', '{{.Action}}');
    expect(events.split('\n')).toContain('checkpoint');
  });
});

describe('a clone', () => {
  const identity = async (name: string) =>
    await store.ok('exec', name, 'sh', '-c', 'hostname; cat /etc/hostname; tail -n 1 /etc/hosts');

  test('goes on from where its source is, which goes on too: each with its own name, disk, log and random numbers', async () => {
    await count();
    await reaches(3);
    const id = await store.ok('clone', 'counter', 'second');
    const generated = await store.ok('clone', 'counter');
    expect(await store.ok('inspect', '-f', '{{.Id}}', 'second')).toBe(id);
    expect((await store.ok('ps', '-q')).split('\n')).toContain(generated.slice(0, 12));
    const short = id.slice(0, 12);
    expect(await identity('second')).toBe(`${short}\n${short}\n127.0.1.1\t${short}`);
    expect(await identity('counter')).not.toContain(short);

    await store.ok('exec', 'second', 'sh', '-c', 'echo mine > /mine');
    expect((await store.hrun(['exec', 'counter', 'cat', '/mine'])).exitCode).toBe(1);
    const uuids = [];
    for (const name of ['counter', 'second', generated])
      uuids.push(await store.ok('exec', name, 'cat', '/proc/sys/kernel/random/uuid'));
    expect(new Set(uuids).size).toBe(3);
    await reaches((await counted()).length + 3);
    const all = await counted();
    expect(all).toEqual(upTo(all.length));
    for (const name of ['counter', 'second', generated]) {
      const inFile = (await store.ok('exec', name, 'cat', '/counted')).split('\n').map(Number);
      expect(inFile).toEqual(upTo(inFile.length));
    }

    // It is a container like any other.
    expect(await store.ok('checkpoint', 'ls', 'second')).toBe('CHECKPOINT NAME');
    await store.ok('restart', '-t', '0', 'second');
    expect(await store.ok('exec', 'second', 'cat', '/mine')).toBe('mine');
    expect(await identity('second')).toContain(short);
  });

  test('that cannot be made leaves nothing behind', async () => {
    await count();
    expect(await store.hrun(['clone', 'counter', 'counter'])).toMatchObject({
      exitCode: 1,
      stdout: '',
      stderr: expect.stringContaining('is in use'),
    });
    expect(store.containers()).toHaveLength(1);
    expect(store.names()).toEqual(['counter']);
  });
});

describe('what stands in the way is one line, and the container goes on', () => {
  const refused = async (...args: string[]) => {
    const { exitCode, stderr } = await store.hrun(args);
    expect(exitCode).not.toBe(0);
    return stderr;
  };

  test('of making one', async () => {
    await count();
    expect(await refused('checkpoint', 'create', 'counter', 'a/b')).toContain(
      'cannot be the name of a checkpoint',
    );
    await store.ok('checkpoint', 'create', '--leave-running', 'counter', 'taken');
    expect(await refused('checkpoint', 'create', 'counter', 'taken')).toContain('already');
    expect(await refused('start', '--checkpoint', 'taken', 'counter')).toContain('is running already');
    await store.ok('pause', 'counter');
    expect(await refused('checkpoint', 'create', 'counter', 'paused')).toContain('is paused');
    await store.ok('unpause', 'counter');
    const exec = store.start(['exec', '-i', 'counter', 'cat'], { stdin: 'pipe' });
    await eventually(async () => (await store.ok('top', 'counter')).includes('cat'));
    expect(await refused('checkpoint', 'create', 'counter', 'exec')).toContain(
      'an exec, or a copy of its files',
    );
    exec.stdin!.end();
    await exec;
    await reaches((await counted()).length + 3);
    await store.ok('stop', '-t', '0', 'counter');
    expect(await refused('checkpoint', 'create', 'counter', 'ended')).toContain('is not running');
    expect(await store.ok('checkpoint', 'ls', 'counter')).toBe('CHECKPOINT NAME\ntaken');
  });

  test('of making one that is killed', async () => {
    await count();
    await reaches(2);
    for (const timeout of [150, 250, 350, 450, 600]) {
      const create = store.start(['checkpoint', 'create', '--leave-running', 'counter', `killed${timeout}`]);
      setTimeout(() => create.kill('SIGKILL'), timeout);
      await create;
    }
    await reaches((await counted()).length + 3);
    await eventually(
      async () =>
        (await store.hrun(['checkpoint', 'create', '--leave-running', 'counter', 'whole'])).exitCode === 0,
    );
    expect(readdirSync(checkpointDirectory('')).filter((name) => name.startsWith('.'))).toEqual([]);
    await store.ok('stop', '-t', '0', 'counter');
    for (const name of readdirSync(checkpointDirectory(''))) {
      await store.ok('start', '--checkpoint', name, 'counter');
      await store.ok('kill', 'counter');
    }
  });

  test('of a container with a volume', async () => {
    await count('-v', 'data:/data');
    expect(await refused('checkpoint', 'create', 'counter', 'volume')).toContain('has /data from outside');
    expect(await status()).toBe('running');
  });

  test('of going on from one that is damaged: the container keeps the disk that it had', async () => {
    await count();
    await reaches(2);
    for (const name of ['cut', 'changed', 'state', 'described'])
      await store.ok('checkpoint', 'create', '--leave-running', 'counter', name);
    await store.ok('exec', 'counter', 'sh', '-c', 'echo mine > /mine; sync');
    await store.ok('stop', '-t', '0', 'counter');
    truncateSync(join(checkpointDirectory('cut'), 'memory'), 1 << 20);
    writeFileSync(join(checkpointDirectory('changed'), 'disk'), 'x', { flag: 'r+' });
    rmSync(join(checkpointDirectory('state'), 'state'));
    writeFileSync(join(checkpointDirectory('described'), 'checkpoint.json'), '{"version":1');
    expect(await refused('start', '--checkpoint', 'cut', 'counter')).toContain(
      "the checkpoint's memory is damaged",
    );
    expect(await refused('start', '--checkpoint', 'changed', 'counter')).toContain(
      "the checkpoint's disk is damaged",
    );
    expect(await refused('start', '--checkpoint', 'state', 'counter')).toContain(
      "open the checkpoint's state",
    );
    expect(await refused('start', '--checkpoint', 'described', 'counter')).toContain('is damaged');
    expect(await refused('start', '--checkpoint', 'none', 'counter')).toContain('no such checkpoint: none');

    mkdirSync(checkpointDirectory('.killed.0123456789ab.making'));
    const found = (await store.hrun(['system', 'check', '--repair'])).stdout;
    for (const [name, what] of [
      ['cut', "the checkpoint's memory is damaged"],
      ['changed', "the checkpoint's disk is damaged"],
      ['state', "open the checkpoint's state"],
      ['described', 'checkpoint.json is damaged'],
    ])
      expect(found).toMatch(
        new RegExp(`^DAMAGED checkpoint ${name} of container [0-9a-f]{12}.*${what}`, 'm'),
      );
    expect(found).toMatch(/^note .*\.killed\.0123456789ab\.making/m);
    expect(existsSync(checkpointDirectory('.killed.0123456789ab.making'))).toBe(false);
    for (const name of ['cut', 'changed', 'state', 'described'])
      await store.ok('checkpoint', 'rm', 'counter', name);
    expect(await store.hrun(['system', 'check'])).toMatchObject({ exitCode: 0, stdout: '' });
    await store.ok('start', 'counter');
    expect(await store.ok('exec', 'counter', 'cat', '/mine')).toBe('mine');
  });

  test('of going on in a machine of another shape', async () => {
    await count();
    await store.ok('checkpoint', 'create', 'counter', 'small');
    await store.ok('update', '-m', '512m', 'counter');
    expect(await refused('start', '--checkpoint', 'small', 'counter')).toContain('memory differs');
  });
});
