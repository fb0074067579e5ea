// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { packTree, type UnpackOptions, unpackTar } from '../../src/tar/index.ts';
import { padded, paxRecord, type TarHeader, tarHeader } from '../fixtures/tar-builder.ts';

let scratch: string;
let target: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'hrun-tar-'));
  target = join(scratch, 'target');
  mkdirSync(target);
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

function entry(header: TarHeader, content = ''): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([tarHeader({ ...header, size: header.size ?? bytes.length }), padded(bytes)]);
}

function pax(...records: [string, string | Buffer][]): Buffer {
  const body = Buffer.concat(records.map(([key, value]) => paxRecord(key, value)));
  return Buffer.concat([tarHeader({ path: 'x', type: 'x', size: body.length }), padded(body)]);
}

/** In chunks of an odd size, so that nothing depends on where one ends. */
async function* chunks(...parts: Buffer[]): AsyncGenerator<Buffer> {
  const whole = Buffer.concat([...parts, Buffer.alloc(1024)]);
  for (let at = 0; at < whole.length; at += 333) yield whole.subarray(at, at + 333);
}

function unpack(parts: Buffer[], options: Partial<UnpackOptions> = {}): Promise<void> {
  return unpackTar(chunks(...parts), { directory: target, keepOwner: false, ...options });
}

describe('unpackTar', () => {
  test.each(['../out', 'a/../../out', './../out'])('refuses the name %s', async (path) => {
    await expect(unpack([entry({ path }, 'x')])).rejects.toMatchObject({ code: 'BAD_ARCHIVE' });
    expect(existsSync(join(scratch, 'out'))).toBe(false);
  });

  test('takes an absolute name for one below the destination', async () => {
    await unpack([entry({ path: '/etc/../f' }, 'x')]);
    expect(readdirSync(target)).toEqual(['f']);
  });

  test.each(['..', scratchOutside(), '.'])(
    'does not follow a link to %s that it has just made',
    async (link) => {
      const parts = [entry({ path: 'l', type: '2', link }), entry({ path: 'l/out' }, 'x')];
      await expect(unpack(parts)).rejects.toThrow('cannot copy into l: it is not a directory');
      expect(existsSync(join(scratch, 'out'))).toBe(false);
    },
  );

  test('replaces a link by the file that has its name, and leaves what it led to alone', async () => {
    writeFileSync(join(scratch, 'victim'), 'mine');
    symlinkSync('../victim', join(target, 'f'));
    await unpack([
      entry({ path: 'g', type: '2', link: '../victim' }),
      entry({ path: 'f' }, 'x'),
      entry({ path: 'g' }, 'y'),
    ]);
    expect(readFileSync(join(scratch, 'victim'), 'utf8')).toBe('mine');
    expect(readFileSync(join(target, 'g'), 'utf8')).toBe('y');
  });

  test.each(['../victim', 'l/victim', '/etc/passwd'])('makes no hard link to %s', async (link) => {
    writeFileSync(join(scratch, 'victim'), 'mine');
    const parts = [entry({ path: 'l', type: '2', link: '..' }), entry({ path: 'h', type: '1', link })];
    await expect(unpack(parts)).rejects.toMatchObject({ name: 'HrunError' });
    expect(lstatSync(join(scratch, 'victim')).nlink).toBe(1);
  });

  test('sets no set-user-ID bit, capability or device unless owners are kept', async () => {
    const notices: string[] = [];
    await unpack(
      [
        pax([
          'SCHILY.xattr.security.capability',
          Buffer.from('0100000200040000000000000000000000000000', 'hex'),
        ]),
        entry({ path: 'su', mode: 0o6755, uid: 7 }, 'x'),
        entry({ path: 'd', type: '5', mode: 0o2755 }),
        entry({ path: 'disk', type: '4', major: 8, minor: 0 }),
      ],
      { leftOut: (what) => notices.push(what) },
    );
    const su = lstatSync(join(target, 'su'));
    expect([su.mode & 0o7777, su.uid]).toEqual([0o755, process.getuid!()]);
    expect(lstatSync(join(target, 'd')).mode & 0o7777).toBe(0o755);
    expect(existsSync(join(target, 'disk'))).toBe(false);
    expect(notices).toEqual(['the device disk is left out: only -a copies devices']);
    expect(execFileSync('getfattr', ['-d', '-m', '-', 'su'], { cwd: target, encoding: 'utf8' })).toBe('');
  });

  test('replaces no directory by a file and no file by a directory', async () => {
    mkdirSync(join(target, 'd'));
    writeFileSync(join(target, 'f'), '');
    await expect(unpack([entry({ path: 'd' })])).rejects.toThrow(
      'cannot overwrite directory "d" with non-directory',
    );
    await expect(unpack([entry({ path: 'f', type: '5' })])).rejects.toThrow(
      'cannot overwrite non-directory "f" with directory',
    );
  });

  test('gives entries the names that are asked for', async () => {
    await unpack(
      [
        entry({ path: 'a/', type: '5' }),
        entry({ path: 'a/f' }, 'x'),
        entry({ path: 'a/h', type: '1', link: 'a/f' }),
      ],
      {
        rename: (path) => path.replace(/^a/, 'b'),
      },
    );
    expect(readdirSync(join(target, 'b')).sort()).toEqual(['f', 'h']);
  });

  test.each<[string, Buffer]>([
    ['a checksum that is wrong', tarHeader({ path: 'f', checksum: 1 })],
    ['an entry that is cut short', tarHeader({ path: 'f', size: 1_000_000 })],
    [
      'a record of the wrong length',
      Buffer.concat([tarHeader({ path: 'x', type: 'x', size: 9 }), padded(Buffer.from('99 a=b\n'))]),
    ],
    ['a name with a NUL', Buffer.concat([pax(['path', 'a\0b']), entry({ path: 'f' })])],
    ['a header of 2 GiB', tarHeader({ path: 'x', type: 'x', size: 2 ** 31 })],
    ['a size that is no number', Buffer.concat([pax(['size', '-1']), entry({ path: 'f' })])],
    ['a type that does not exist', entry({ path: 'f', type: 'Z' })],
  ])('refuses %s', async (_, bytes) => {
    await expect(unpack([bytes])).rejects.toMatchObject({ code: 'BAD_ARCHIVE' });
  });

  test.each<[string, string]>([
    ['overlaps', '2\n0\n512\n100\n0\n'],
    ['passes the end', '1\n1000000\n512\n'],
    ['is longer than the content', '1\n0\n5120\n'],
    ['is no number', 'x\n'],
    ['never ends', '9'.repeat(600)],
  ])('refuses a sparse file whose map %s', async (_, map) => {
    const records = pax(
      ['GNU.sparse.major', '1'],
      ['GNU.sparse.minor', '0'],
      ['GNU.sparse.realsize', '4096'],
    );
    const content = Buffer.concat([padded(Buffer.from(map)), Buffer.alloc(512)]).toString('latin1');
    await expect(unpack([records, entry({ path: 'f' }, content)])).rejects.toMatchObject({
      code: 'BAD_ARCHIVE',
    });
  });
});

describe('packTree', () => {
  test('makes an archive that GNU tar reads as the same tree', async () => {
    const tree = makeTree();
    const archive = join(scratch, 'a.tar');
    writeFileSync(archive, await collected(packTree(tree, { name: 'tree', follow: false })));
    execFileSync('tar', ['-C', target, '--xattrs', '-xpf', archive]);
    expect(listing(join(target, 'tree'))).toBe(listing(tree));
  });

  test('makes an archive that unpackTar reads as the same tree', async () => {
    const tree = makeTree();
    await unpackTar(packTree(tree, { name: '.', follow: false }), { directory: target, keepOwner: true });
    expect(listing(target)).toBe(listing(tree));
    expect(
      execFileSync('getfattr', ['--only-values', '-n', 'user.k', 'f'], { cwd: target, encoding: 'utf8' }),
    ).toBe('v');
  });

  test('keeps holes: 4 GiB of nothing are a few kilobytes', async () => {
    execFileSync('sh', ['-c', 'truncate -s 4G holes; printf end >> holes'], { cwd: scratch });
    const bytes = await collected(packTree(join(scratch, 'holes'), { name: 'holes', follow: false }));
    expect(bytes.length).toBeLessThan(20_000);
    await unpackTar(chunks(bytes), { directory: target, keepOwner: false });
    const { size, blocks } = lstatSync(join(target, 'holes'));
    expect(size).toBe(4 * 1024 ** 3 + 3);
    expect(blocks).toBeLessThan(100);
    expect(execFileSync('tail', ['-c', '3', 'holes'], { cwd: target, encoding: 'utf8' })).toBe('end');
  });
});

function scratchOutside(): string {
  return tmpdir();
}

async function collected(pieces: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}

/** Odd names, links of both kinds, modes, times, a fifo. */
function makeTree(): string {
  const tree = join(scratch, 'tree');
  const script = `mkdir -p sub/deep $(printf 'd%.0s' $(seq 1 90)) && cd . && echo x > f && ln f hard && ln -s ../nowhere link && mkfifo pipe &&
    touch "new
line" "$(printf '\\377\\376')" $(printf 'd%.0s' $(seq 1 90))/$(printf 'n%.0s' $(seq 1 200)) && setfattr -n user.k -v v f &&
    head -c 300000 /dev/urandom > sub/big && chmod 2750 sub && chmod 400 sub/big && touch -h -d @1000000000 link f sub/big sub/deep sub`;
  mkdirSync(tree);
  execFileSync('bash', ['-c', script], { cwd: tree });
  return tree;
}

/** Everything but the times that a directory has from being filled. */
function listing(tree: string): string {
  const format = ['-printf', '%P|%y|%m|%U|%G|%n|%l|%s\\n'];
  const names = execFileSync('find', ['.', '-mindepth', '1', '!', '-type', 'd', ...format], {
    cwd: tree,
    encoding: 'latin1',
  });
  const dirs = execFileSync('find', ['.', '-mindepth', '1', '-type', 'd', '-printf', '%P|%m\\n'], {
    cwd: tree,
    encoding: 'latin1',
  });
  const times = execFileSync('stat', ['-c', '%Y', 'f', 'link', 'sub/big', 'sub/deep', 'sub'], {
    cwd: tree,
    encoding: 'utf8',
  });
  const sums = execFileSync('md5sum', ['sub/big', 'f'], { cwd: tree, encoding: 'utf8' });
  return [...names.split('\n').sort(), ...dirs.split('\n').sort(), times, sums].join('\n');
}
