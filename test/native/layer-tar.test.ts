// SPDX-License-Identifier: Apache-2.0
import { statSync } from 'node:fs';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import type { ErofsReader } from '../fixtures/erofs-reader.ts';
import { LayerLab } from '../fixtures/layers.ts';
import { oldGnuSparse, paxHeader, paxSparse, TarBuilder, tarHeader } from '../fixtures/tar-builder.ts';

const lab = new LayerLab();
afterAll(() => lab[Symbol.dispose]());

const text = (reader: ErofsReader, path: string) =>
  reader.data(reader.tree().get(path)!.nid).toString('latin1');
const MiB = 1024 * 1024;

describe('convertLayer: tar flavours', () => {
  it('takes pax records over header fields', async () => {
    const path = `${'p'.repeat(200)}/${'q'.repeat(200)}`;
    const tar = new TarBuilder()
      .entry({
        path: 'short',
        data: 'data',
        pax: { path, uid: '100000', gid: '4294967294', mtime: '1234.567890123456' },
      })
      .entry({ path: 'l', type: '2', link: 'x', pax: { linkpath: 't'.repeat(300) } })
      .entry({ path: 'past', pax: { mtime: '-1.25' } })
      .build();
    using reader = await lab.open(tar);
    const tree = reader.tree();
    expect(tree.get(path)).toMatchObject({ uid: 100000, gid: 4294967294, mtime: 1_234_567_890_123n });
    expect(text(reader, 'l')).toBe('t'.repeat(300));
    expect(tree.get('past')!.mtime).toBe(-1_250_000_000n);
  });

  it('applies a global header to all entries after it, and the own one over it', async () => {
    const tar = new TarBuilder()
      .file('before')
      .raw(paxHeader({ uid: '7', mtime: '5', comment: 'ignored' }, 'g'))
      .file('after')
      .entry({ path: 'own', pax: { uid: '8' } })
      .build();
    using reader = await lab.open(tar);
    expect(reader.tree().get('before')).toMatchObject({ uid: 0, mtime: 0n });
    expect(reader.tree().get('after')).toMatchObject({ uid: 7, mtime: 5_000_000_000n });
    expect(reader.tree().get('own')).toMatchObject({ uid: 8, mtime: 5_000_000_000n });
  });

  it('reads GNU long names and link targets', async () => {
    const [name, target] = ['n'.repeat(120), 't'.repeat(2000)];
    const tar = new TarBuilder()
      .gnuLong('L', `d/${name}`)
      .gnuLong('K', target)
      .symlink('cut', 'cut', { format: 'gnu' })
      .build();
    using reader = await lab.open(tar);
    expect(text(reader, `d/${name}`)).toBe(target);
  });

  it('joins the ustar prefix to the name', async () => {
    const tar = new TarBuilder().entry({ path: 'name', patches: [[345, Buffer.from('the/prefix')]] }).build();
    using reader = await lab.open(tar);
    expect(reader.tree().has('the/prefix/name')).toBe(true);
  });

  it('reads v7 headers, where a slash makes a directory, and signed checksums', async () => {
    const tar = new TarBuilder()
      .entry({ path: 'old/', type: '\0', format: 'v7' })
      .entry({ path: 'old/f\xe9', type: '\0', format: 'v7', data: 'v7', checksum: 'signed' })
      .entry({ path: 'contiguous', type: '7', data: 'c' })
      .entry({ path: 'unknown', type: 'Q', data: 'q' })
      .build();
    using reader = await lab.open(tar);
    expect(reader.tree().get('old')!.type).toBe('directory');
    expect(text(reader, 'old/f\xc3\xa9')).toBe('v7');
    expect(text(reader, 'contiguous')).toBe('c');
    expect(text(reader, 'unknown')).toBe('q');
  });

  it('reads base-256 numbers, negative times among them', async () => {
    const tar = new TarBuilder().file('f', '', { uid: 3_000_000_000, mtime: -86_400 }).build();
    using reader = await lab.open(tar);
    expect(reader.tree().get('f')).toMatchObject({ uid: 3_000_000_000, mtime: -86_400_000_000_000n });
  });

  it('reads no data after entries that have none, whatever their size field says', async () => {
    const tar = new TarBuilder()
      .file('f', 'x')
      .entry({ path: 'l', type: '1', link: 'f', size: 12345 })
      .entry({ path: 'd', type: '5', size: 999 })
      .file('g', 'y');
    using reader = await lab.open(tar.build());
    expect(text(reader, 'l')).toBe('x');
    expect(text(reader, 'g')).toBe('y');
  });

  it.each([
    ['old GNU', (n: string, s: number, e: { offset: number; data: string }[]) => oldGnuSparse(n, s, e)],
    ['pax 0.0', (n: string, s: number, e: { offset: number; data: string }[]) => paxSparse('0.0', n, s, e)],
    ['pax 0.1', (n: string, s: number, e: { offset: number; data: string }[]) => paxSparse('0.1', n, s, e)],
    ['pax 1.0', (n: string, s: number, e: { offset: number; data: string }[]) => paxSparse('1.0', n, s, e)],
  ])('expands sparse files of format %s', async (_name, make) => {
    const extents = Array.from({ length: 30 }, (_, i) => ({
      offset: i * 100_003,
      data: `extent ${i} `.repeat(i + 1),
    }));
    const size = 3 * MiB + 5;
    const expected = Buffer.alloc(size);
    for (const { offset, data } of extents) expected.write(data, offset);
    const tar = new TarBuilder()
      .raw(make('sparse', size, extents))
      .file('next', 'intact')
      .build();
    using reader = await lab.open(tar);
    expect(reader.data(reader.tree().get('sparse')!.nid).equals(expected)).toBe(true);
    expect(text(reader, 'next')).toBe('intact');
  });

  it('keeps holes as holes, up to a terabyte of them', async () => {
    const size = 1024 ** 4;
    const tar = new TarBuilder()
      .raw(oldGnuSparse('huge', size, [{ offset: 700 * 1024 ** 3, data: 'there' }]))
      .build();
    const { image, result } = await lab.convert(tar);
    expect(result.erofsBytes).toBeLessThan(64 * 1024 ** 3);
    expect(statSync(image).blocks * 512).toBeLessThan(MiB);
  });

  it('ends at the end of the stream if the end marker is missing', async () => {
    using reader = await lab.open(new TarBuilder().file('f', 'x').build({ end: false }));
    expect(text(reader, 'f')).toBe('x');
  });
});

describe('convertLayer: compression', () => {
  const tar = new TarBuilder().file('f', 'x'.repeat(700_000)).build();

  it('reads many gzip members and zero padding after the last', async () => {
    const half = Math.floor(tar.length / 2);
    const blob = Buffer.concat([
      gzipSync(tar.subarray(0, half)),
      gzipSync(tar.subarray(half)),
      Buffer.alloc(1000),
    ]);
    expect((await lab.convert(blob)).result.tarBytes).toBe(tar.length);
  });

  it('reads many zstd frames, skippable ones among them', async () => {
    const skippable = Buffer.from('502a4d1804000000abcdabcd', 'hex');
    const blob = Buffer.concat([
      skippable,
      zstdCompressSync(tar.subarray(0, 1024)),
      zstdCompressSync(tar.subarray(1024)),
    ]);
    expect((await lab.convert(blob)).result.tarBytes).toBe(tar.length);
  });

  it.each([
    ['a wrong CRC', (b: Buffer) => b.fill(0xff, b.length - 8, b.length - 4)],
    ['a wrong length', (b: Buffer) => b.fill(0xff, b.length - 4)],
    ['a truncated stream', (b: Buffer) => b.subarray(0, b.length - 10)],
    ['a missing trailer', (b: Buffer) => b.subarray(0, b.length - 4)],
    ['rubbish behind it', (b: Buffer) => Buffer.concat([b, Buffer.from('rubbish')])],
    ['broken codes', (b: Buffer) => b.fill(0xff, 30, 60)],
  ])('refuses gzip with %s', async (_name, damage) => {
    const blob = damage(Buffer.from(gzipSync(tar)));
    await expect(lab.convert(blob)).rejects.toMatchObject({
      code: 'LAYER_CORRUPT',
      message: expect.stringMatching(/gzip.*at byte \d+ of the blob/),
    });
  });

  it('refuses truncated zstd, and compression that OCI does not know', async () => {
    const zstd = zstdCompressSync(tar);
    await expect(lab.convert(zstd.subarray(0, zstd.length - 2))).rejects.toMatchObject({
      code: 'LAYER_CORRUPT',
    });
    await expect(lab.convert(Buffer.from('BZh91AY&SY'))).rejects.toMatchObject({
      message: expect.stringContaining('bzip2'),
    });
    await expect(lab.convert(Buffer.alloc(0))).rejects.toMatchObject({ code: 'LAYER_CORRUPT' });
  });
});

describe('convertLayer: broken tars', () => {
  const header = (more = {}) => tarHeader({ path: 'f', ...more });

  it.each([
    ['a wrong checksum', [header({ checksum: 1 })]],
    ['rubbish', [Buffer.alloc(512, 'rubbish')]],
    ['a header cut short', [header().subarray(0, 300)]],
    ['data cut short', [header({ size: 4000 }), Buffer.alloc(1000)]],
    ['a lone zero block', [Buffer.alloc(512), header()]],
    ['a negative size', [header({ size: -5 })]],
    ['a number that is none', [header({ patches: [[124, Buffer.from('99')]] })]],
    ['a uid out of range', [header({ uid: 2 ** 33 }), Buffer.alloc(1024)]],
    ['a pax record without a length', [paxOf('x path=y\n'), header()]],
    ['a pax record of the wrong length', [paxOf('99 path=y\n'), header()]],
    ['a pax path with a NUL', [paxOf('11 path=a\0b\n'), header()]],
    ['a file above another entry', [header(), tarHeader({ path: 'f/child' })]],
    ['a root that is a file', [tarHeader({ path: './' })]],
    [
      'a hard link to a directory',
      [tarHeader({ path: 'd', type: '5' }), tarHeader({ path: 'l', type: '1', link: 'd' })],
    ],
    [
      'links that go in circles',
      [
        tarHeader({ path: 'a', type: '2', link: 'b' }),
        tarHeader({ path: 'b', type: '2', link: 'a' }),
        tarHeader({ path: 'a/x' }),
      ],
    ],
    ['a symbolic link to nothing', [tarHeader({ path: 's', type: '2' })]],
    [
      'a sparse map out of order',
      [
        oldGnuSparse('s', 100, [
          { offset: 50, data: 'x' },
          { offset: 10, data: 'y' },
        ]),
      ],
    ],
    ['a sparse map past the end', [oldGnuSparse('s', 10, [{ offset: 50, data: 'x' }])]],
  ])('refuses %s, and says where', async (_name, parts) => {
    await expect(lab.convert(Buffer.concat([...parts, Buffer.alloc(0)]))).rejects.toMatchObject({
      code: 'LAYER_CORRUPT',
      message: expect.stringMatching(/^[^\n]+ at byte \d+ of the tar$/),
    });
  });
});

function paxOf(body: string): Buffer {
  return Buffer.concat([
    tarHeader({ path: 'pax', type: 'x', size: body.length }),
    Buffer.from(body.padEnd(512, '\0')),
  ]);
}
