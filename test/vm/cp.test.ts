// SPDX-License-Identifier: Apache-2.0
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eventually, FIXTURES, TestStore } from './hrun.ts';

let store: TestStore;
let host: string;
beforeAll(async () => {
  store = new TestStore();
  await store.load(FIXTURES);
  await store.hrun([
    'run',
    '-d',
    '--name',
    'box',
    '-u',
    '7:8',
    '--tmpfs',
    '/mnt',
    'busybox',
    'sh',
    '-c',
    'sleep 10000',
  ]);
  await guest('ln -s / /evil; ln -s ../../../../.. /up');
});
afterAll(async () => {
  await store.clear();
  store.remove();
});
beforeEach(() => {
  host = mkdtempSync(join(tmpdir(), 'hrun-cp-'));
  return () => rmSync(host, { recursive: true, force: true });
});

const cp = (...args: string[]) => store.hrun(['cp', ...args]);

async function guest(script: string): Promise<string> {
  const { stdout, stderr, exitCode } = await store.hrun(['exec', '-u', '0', 'box', 'sh', '-c', script]);
  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
  return stdout;
}

/** A tree with what trees can have; `list` prints what must survive a copy. */
const MAKE = `mkdir -p t/sub/deep && cd t && echo x > f && ln f hard && ln -s ../nowhere link && mkfifo pipe &&
  touch 'new
line' $(printf '\\377\\376') && chmod 750 sub && head -c 300000 /dev/urandom > sub/big && chmod 400 sub/big && touch -d @1000000000 f sub/big sub`;
const LIST = `cd t && find . -mindepth 1 -exec stat -c '%n %A %h %s %N' {} + | grep -v '^./[a-z/]* d' | sort && stat -c %Y f sub/big sub && md5sum f sub/big`;

describe('hrun cp', () => {
  test('brings a tree into a container and out again unchanged', async () => {
    await execa('sh', ['-c', MAKE], { cwd: host });
    expect(await cp(join(host, 't'), 'box:/root')).toMatchObject({ exitCode: 0 });
    const { stdout } = await execa('sh', ['-c', LIST], { cwd: host });
    expect(await guest(`cd /root; ${LIST}`)).toContain('./sub/big');
    mkdirSync(join(host, 'back'));
    expect(await cp('box:/root/t', join(host, 'back'))).toMatchObject({ exitCode: 0 });
    expect((await execa('sh', ['-c', LIST], { cwd: join(host, 'back') })).stdout).toBe(stdout);
  });

  test('brings 100 MiB through, exact to the byte', { timeout: 600_000 }, async () => {
    await execa('sh', ['-c', 'head -c 100M /dev/urandom > big'], { cwd: host });
    expect((await cp(join(host, 'big'), 'box:/tmp')).stderr).toBe(`Successfully copied 105MB to box:/tmp\n`);
    await cp('-q', 'box:/tmp/big', join(host, 'again'));
    await execa('cmp', ['big', 'again'], { cwd: host });
  });

  test('puts things where Docker does: into a directory, to a new name, over a file, the content of a directory', async () => {
    writeFileSync(join(host, 'f'), '1');
    mkdirSync(join(host, 'd'));
    writeFileSync(join(host, 'd/in'), '2');
    await guest('mkdir -p /r/dir; echo old > /r/file; ln -s dir /r/link');
    for (const [from, to] of [
      ['f', '/r/dir'],
      ['f', '/r/new'],
      ['f', '/r/file'],
      ['d', '/r/dir'],
      ['d', '/r/copy'],
      ['d/.', '/r/link'],
      ['d/.', '/r/flat'],
    ]) {
      expect((await cp(`${host}/${from}`, `box:${to}`)).exitCode).toBe(0);
    }
    expect(await guest('cd /r; find . | sort; cat file; readlink link')).toBe(
      '.\n./copy\n./copy/in\n./dir\n./dir/d\n./dir/d/in\n./dir/f\n./dir/in\n./file\n./flat\n./flat/in\n./link\n./new\n1dir\n',
    );
  });

  test('says in one line, as Docker, why it cannot', async () => {
    writeFileSync(join(host, 'f'), '1');
    const said = async (...args: string[]) => {
      const { stderr, exitCode } = await cp(...args);
      expect(exitCode).not.toBe(0);
      return stderr.trim();
    };
    expect(await said('box:/none', host)).toBe('hrun: could not find the file /none in container box');
    expect(await said(join(host, 'f'), 'box:/none/x')).toContain(
      'could not find the file /none in container box',
    );
    expect(await said(join(host, 'f'), 'box:/none/')).toContain('no such directory');
    expect(await said('box:/etc', join(host, 'f'))).toBe('hrun: cannot copy directory');
    expect(await said('box:/etc/passwd', join(host, 'a/b'))).toContain('invalid output path');
    expect(await said(join(host, 'none'), 'box:/')).toContain('no such file or directory');
    expect(await said('box:/a', 'box:/b')).toContain('copying between containers is not supported');
    expect(await said('nobody:/a', host)).toContain('no such container');
    expect(await said(join(host, 'f'), 'box:/sys/x')).toContain('read-only');
  });

  test('streams an archive both ways', async () => {
    await guest('mkdir -p /s/sub; echo 1 > /s/sub/f');
    const script = `$HRUN cp box:/s - | tar -tf - && tar -C ${host} -cf - . | gzip | $HRUN cp - box:/s/sub`;
    writeFileSync(join(host, 'packed'), 'x');
    const { stdout, exitCode } = await store.shell(script);
    expect({ stdout, exitCode }).toEqual({ stdout: 's/\ns/sub/\ns/sub/f\n', exitCode: 0 });
    expect(await guest('cat /s/sub/packed')).toBe('x');
  });

  test('without -a keeps the numbers of owners, with it gives all to the user of the container', async () => {
    writeFileSync(join(host, 'f'), '1');
    await cp(join(host, 'f'), 'box:/tmp/plain');
    await cp('-a', join(host, 'f'), 'box:/tmp/owned');
    expect(await guest('stat -c "%u %g" /tmp/plain /tmp/owned')).toBe(
      `${process.getuid!()} ${process.getgid!()}\n7 8\n`,
    );
  });

  test('copies a symbolic link as it is, and with -L what it leads to', async () => {
    await guest('ln -s /etc/passwd /tmp/l');
    await cp('box:/tmp/l', host);
    expect(readlinkSync(join(host, 'l'))).toBe('/etc/passwd');
    await cp('-L', 'box:/tmp/l', join(host, 'followed'));
    expect(readFileSync(join(host, 'followed'), 'utf8')).toContain('root:x:0:0');
  });

  test("sees the container's mounts", async () => {
    await guest('echo 1 > /mnt/f');
    await cp('box:/mnt/f', host);
    expect(readFileSync(join(host, 'f'), 'utf8')).toBe('1\n');
  });

  test('stays in the container, wherever its links lead', async () => {
    writeFileSync(join(host, 'f'), 'mine');
    for (const link of ['/evil', '/up']) {
      await cp(join(host, 'f'), `box:${link}${host}-none`);
      expect((await cp(`box:${link}${join(host, 'f')}`, join(host, 'stolen'))).stderr).toContain(
        'could not find the file',
      );
      expect((await cp(`box:${link}/init`, join(host, 'stolen'))).stderr).toContain(
        'could not find the file',
      );
      expect((await cp(join(host, 'f'), `box:${link}/tmp/through`)).exitCode).toBe(0);
    }
    expect(existsSync(join(host, 'stolen'))).toBe(false);
    expect(await guest('cat /tmp/through')).toBe('mine');
  });

  test('works on containers that were never started and on those that have ended, and leaves their state alone', async () => {
    const { stdout } = await store.hrun(['create', '--name', 'still', 'busybox', 'cat', '/before']);
    writeFileSync(join(host, 'before'), 'put before the start\n');
    expect((await cp(join(host, 'before'), 'still:/before')).exitCode).toBe(0);
    expect(store.state(stdout.trim()).status).toBe('created');
    expect(await store.hrun(['start', '-a', 'still'])).toMatchObject({ stdout: 'put before the start\n' });
    await eventually(() => store.state(stdout.trim()).status === 'exited');
    const both = await Promise.all(['one', 'two'].map((name) => cp('still:/before', join(host, name))));
    expect(both.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    expect(readdirSync(host).sort()).toEqual(['before', 'one', 'two']);
    expect(store.state(stdout.trim())).toMatchObject({ status: 'exited', exitCode: 0 });
    expect((await store.hrun(['rm', 'still'])).exitCode).toBe(0);
  });
});
