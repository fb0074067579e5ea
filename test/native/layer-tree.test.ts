// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from 'node:fs';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import type { ErofsReader } from '../fixtures/erofs-reader.ts';
import { LayerLab } from '../fixtures/layers.ts';
import { TarBuilder } from '../fixtures/tar-builder.ts';

const lab = new LayerLab();
afterAll(() => lab[Symbol.dispose]());

const paths = (reader: ErofsReader) => [...reader.tree().keys()];
const text = (reader: ErofsReader, path: string) =>
  reader.data(reader.tree().get(path)!.nid).toString('latin1');

describe('convertLayer: what is in the tree', () => {
  it('keeps type, mode, owner and time of everything a tar can hold', async () => {
    const tar = new TarBuilder()
      .directory('./', { mode: 0o700, uid: 5, gid: 6, mtime: 77 })
      .directory('d/', { mode: 0o1777, mtime: 1 })
      .file('d/setuid', 'x', { mode: 0o4755, uid: 70000, gid: 4_000_000_000, mtime: 1_700_000_000 })
      .symlink('d/link', '../anywhere/at all')
      .entry({ path: 'd/char', type: '3', major: 4, minor: 70_000, mode: 0o660 })
      .entry({ path: 'd/block', type: '4', major: 259, minor: 3 })
      .entry({ path: 'd/fifo', type: '6', mode: 0o600 })
      .build();
    using reader = await lab.open(tar);
    const tree = reader.tree();
    expect(tree.get('.')).toMatchObject({ type: 'directory', mode: 0o700, uid: 5, gid: 6, nlink: 3 });
    expect(tree.get('.')!.mtime).toBe(77_000_000_000n);
    expect(tree.get('d')).toMatchObject({ type: 'directory', mode: 0o1777 });
    expect(tree.get('d/setuid')).toMatchObject({ mode: 0o4755, uid: 70000, gid: 4_000_000_000, size: 1 });
    expect(tree.get('d/link')).toMatchObject({ type: 'symlink', mode: 0o777 });
    expect(text(reader, 'd/link')).toBe('../anywhere/at all');
    expect(tree.get('d/char')).toMatchObject({ type: 'char', device: [4, 70_000], mode: 0o660 });
    expect(tree.get('d/block')).toMatchObject({ type: 'block', device: [259, 3] });
    expect(tree.get('d/fifo')).toMatchObject({ type: 'fifo', mode: 0o600 });
    expect(reader.inodes).toBe(tree.size);
  });

  it('stores files of every size around a block intact', async () => {
    const sizes = [0, 1, 511, 512, 4031, 4032, 4033, 4095, 4096, 4097, 8191, 8192, 1_048_576, 1_050_001];
    const tar = new TarBuilder();
    const content = (size: number) => Buffer.alloc(size, `${size}|`);
    for (const size of sizes) tar.file(`f${size}`, content(size));
    using reader = await lab.open(tar.build());
    for (const size of sizes)
      expect(reader.data(reader.tree().get(`f${size}`)!.nid).equals(content(size)), `${size} bytes`).toBe(
        true,
      );
  });

  it('makes one inode of hard links, also across directories and to symbolic links', async () => {
    const tar = new TarBuilder()
      .file('a/one', 'content')
      .hardLink('b/two', 'a/one')
      .hardLink('three', './b/two')
      .symlink('s', 'target')
      .hardLink('t', 's')
      .build();
    using reader = await lab.open(tar);
    const tree = reader.tree();
    expect(tree.get('a/one')!.nlink).toBe(3);
    expect(tree.get('b/two')!.nid).toBe(tree.get('a/one')!.nid);
    expect(tree.get('three')!.nid).toBe(tree.get('a/one')!.nid);
    expect(tree.get('t')).toMatchObject({ type: 'symlink', nlink: 2, nid: tree.get('s')!.nid });
  });

  it('lets a later entry win: files replace, directories keep their contents', async () => {
    const tar = new TarBuilder()
      .file('f', 'old')
      .hardLink('kept', 'f')
      .file('f', 'new')
      .directory('d', { mode: 0o700 })
      .file('d/inside')
      .directory('d', { mode: 0o711 })
      .directory('gone')
      .file('gone/child')
      .symlink('gone', 'elsewhere')
      .build();
    using reader = await lab.open(tar);
    expect(text(reader, 'f')).toBe('new');
    expect(text(reader, 'kept')).toBe('old');
    expect(reader.tree().get('kept')!.nlink).toBe(1);
    expect(reader.tree().get('d')!.mode).toBe(0o711);
    expect(paths(reader).sort()).toEqual(['.', 'd', 'd/inside', 'f', 'gone', 'kept']);
  });

  it('makes missing parents root-owned 0755 directories', async () => {
    using reader = await lab.open(new TarBuilder().file('x/y/z', '', { uid: 9 }).build());
    expect(reader.tree().get('x/y')).toMatchObject({ type: 'directory', mode: 0o755, uid: 0, gid: 0 });
  });

  it('cleans paths as text and never leaves the root', async () => {
    const tar = new TarBuilder()
      .file('../../etc/passwd', '1')
      .file('/abs//./path', '2')
      .file('a/../b', '3')
      .symlink('up', '../../..')
      .file('up/through', '4')
      .symlink('dir', '/real/place')
      .file('dir/file', '5')
      .build();
    using reader = await lab.open(tar);
    expect(text(reader, 'etc/passwd')).toBe('1');
    expect(text(reader, 'abs/path')).toBe('2');
    expect(text(reader, 'b')).toBe('3');
    expect(text(reader, 'through')).toBe('4');
    expect(text(reader, 'real/place/file')).toBe('5');
  });

  it('keeps names of 255 bytes and names that are not UTF-8', async () => {
    const long = 'n'.repeat(255);
    const odd = Buffer.from([0xff, 0xfe, 0x0a, 0x80]);
    const tar = new TarBuilder().gnuLong('L', `deep/${long}`).file('x').file(odd, 'odd').build();
    using reader = await lab.open(tar);
    expect(paths(reader)).toContain(`deep/${long}`);
    expect(text(reader, odd.toString('latin1'))).toBe('odd');
  });

  it('finds every name of a directory with 100,000 entries in the order the kernel searches', async () => {
    const tar = new TarBuilder();
    for (let i = 0; i < 100_000; i++) tar.file(`big/${(i * 7919) % 100_000}`);
    using reader = await lab.open(gzipSync(tar.build(), { level: 1 }));
    const big = reader.entries(reader.rootNid).find((entry) => entry.name.toString() === 'big')!;
    expect(reader.entries(big.nid)).toHaveLength(100_002); // throws if out of order
  });

  it('keeps xattrs, capabilities and ACLs, and drops what would steer overlayfs', async () => {
    const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex');
    const tar = new TarBuilder()
      .file('f', '', {
        pax: {
          'SCHILY.xattr.security.capability': capability,
          'SCHILY.xattr.user.lines': 'a\nb=c\n',
          'SCHILY.xattr.system.posix_acl_access': Buffer.from([2, 0, 0, 0]),
          'SCHILY.xattr.user.long': 'v'.repeat(10_000),
          'SCHILY.xattr.user.empty': 'x',
          'SCHILY.xattr.trusted.overlay.opaque': 'y',
          'SCHILY.xattr.user.overlay.redirect': '/etc',
          'SCHILY.xattr.security.selinux': 'host_t',
          'SCHILY.xattr.com.apple.quarantine': 'no namespace of Linux',
        },
      })
      .build();
    using reader = await lab.open(tar);
    expect(reader.tree().get('f')!.xattrs).toEqual({
      'security.capability': capability.toString('latin1'),
      'user.lines': 'a\nb=c\n',
      'system.posix_acl_access': '\x02\0\0\0',
      'user.long': 'v'.repeat(10_000),
      'user.empty': 'x',
    });
  });
});

describe('convertLayer: whiteouts', () => {
  it('turns them into overlayfs whiteouts in a directory that says it has some', async () => {
    const tar = new TarBuilder().directory('d').file('d/.wh.gone').file('d/here').file('.wh.top').build();
    using reader = await lab.open(tar);
    const tree = reader.tree();
    expect(tree.get('d/gone')).toMatchObject({ type: 'char', device: [0, 0], nlink: 2 });
    expect(tree.get('top')!.nid).toBe(tree.get('d/gone')!.nid);
    expect(tree.get('d')!.xattrs).toEqual({ 'trusted.overlay.origin': '' });
    expect(tree.get('.')!.xattrs).toEqual({ 'trusted.overlay.origin': '' });
  });

  it('marks opaque directories', async () => {
    using reader = await lab.open(new TarBuilder().file('d/.wh..wh..opq').file('d/new').build());
    expect(reader.tree().get('d')!.xattrs).toEqual({ 'trusted.overlay.opaque': 'y' });
    expect(paths(reader)).toContain('d/new');
  });

  it.each([['before'], ['after']])(
    'lets a file win over a whiteout %s it, and makes a directory opaque',
    async (order) => {
      const tar = new TarBuilder();
      const whiteouts = () => tar.file('.wh.f').file('.wh.d');
      if (order === 'before') whiteouts();
      tar.file('f', 'stays').file('d/child');
      if (order === 'after') whiteouts();
      using reader = await lab.open(tar.build());
      expect(text(reader, 'f')).toBe('stays');
      expect(reader.tree().get('d')!.xattrs).toEqual({ 'trusted.overlay.opaque': 'y' });
      expect(paths(reader)).toContain('d/child');
    },
  );

  it('ignores what AUFS left behind', async () => {
    const tar = new TarBuilder()
      .directory('.wh..wh.plnk')
      .file('.wh..wh.plnk/5.7')
      .file('.wh..wh.aufs')
      .build();
    using reader = await lab.open(tar);
    expect(paths(reader)).toEqual(['.']);
  });

  it('takes a character device 0:0 for the whiteout it is to overlayfs', async () => {
    using reader = await lab.open(
      new TarBuilder().entry({ path: 'dev', type: '3', major: 0, minor: 0 }).build(),
    );
    expect(reader.tree().get('.')!.xattrs).toEqual({ 'trusted.overlay.origin': '' });
  });

  it.each(['.wh.', '.wh..', '.wh...', '.wh.a/b'])('refuses the whiteout %j', async (path) => {
    await expect(lab.convert(new TarBuilder().file(path).build())).rejects.toMatchObject({
      code: 'LAYER_CORRUPT',
    });
  });
});

describe('convertLayer: the result', () => {
  it('is the same image for the same tar, however compressed', async () => {
    const tar = new TarBuilder().directory('d').file('d/f', 'x'.repeat(300_000)).hardLink('l', 'd/f').build();
    const images = await Promise.all(
      [tar, gzipSync(tar), gzipSync(tar, { level: 1 }), zstdCompressSync(tar)].map((blob) =>
        lab.convert(blob),
      ),
    );
    for (const { image, result } of images) {
      expect(result.tarSha256).toBe(images[0]!.result.tarSha256);
      expect(readFileSync(image).equals(readFileSync(images[0]!.image))).toBe(true);
    }
    expect(images[0]!.result.blobSha256).toBe(images[0]!.result.tarSha256);
    expect(images[0]!.result.entries).toBe(3);
  });

  it('covers every byte after the end marker in the digests', async () => {
    const tar = new TarBuilder().file('f', 'x').build();
    const [plain, trailed] = [tar, Buffer.concat([tar, Buffer.from('trailing rubbish')])];
    const [a, b] = [await lab.convert(plain), await lab.convert(gzipSync(trailed))];
    expect(b.result.tarBytes).toBe(trailed.length);
    expect(b.result.tarSha256).not.toBe(a.result.tarSha256);
  });

  it('is an empty root for an empty tar', async () => {
    const { image, result } = await lab.convert(Buffer.alloc(1024));
    expect(result).toMatchObject({ entries: 0, tarBytes: 1024, erofsBytes: 4096 });
    expect(image).toBeTruthy();
  });
});
