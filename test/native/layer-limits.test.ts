// SPDX-License-Identifier: Apache-2.0
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { LayerLab } from '../fixtures/layers.ts';
import { oldGnuSparse, paxHeader, TarBuilder, tarHeader } from '../fixtures/tar-builder.ts';

const lab = new LayerLab();
afterAll(() => lab[Symbol.dispose]());

const limit = (what: string | RegExp) => ({
  code: 'LAYER_LIMIT',
  message: expect.stringMatching(what),
});

/** A gzip that inflates to `count` MiB of zeros behind `head`: members of one MiB each. */
function bomb(head: Buffer, count: number): Buffer {
  const member = gzipSync(Buffer.alloc(1024 * 1024), { level: 9 });
  return Buffer.concat([gzipSync(head), ...Array.from({ length: count }, () => member)]);
}

describe('convertLayer: limits', () => {
  it('stops 10 MB that inflate to 10 GB by their ratio', async () => {
    const blob = bomb(tarHeader({ path: 'zeros', size: 10_000 * 1024 * 1024 }), 10_000);
    await expect(lab.convert(blob)).rejects.toMatchObject(limit(/zeros: .*more than 200 times its size/));
  });

  it('stops at the bytes of tar it may inflate', async () => {
    const blob = bomb(tarHeader({ path: 'zeros', size: 8 * 1024 * 1024 }), 8);
    await expect(lab.convert(blob, { maxTarBytes: 1024 * 1024 })).rejects.toMatchObject(
      limit(/1048576 bytes/),
    );
  });

  it('stops a million entries', async () => {
    const header = tarHeader({ path: 'same' });
    const blob = gzipSync(Buffer.alloc(1_000_000 * 512, header), { level: 1 });
    await expect(lab.convert(blob)).rejects.toMatchObject(limit(/more than 524288 entries/));
  });

  it('counts the directories that paths imply', async () => {
    const tar = new TarBuilder();
    for (let i = 0; i < 20; i++) tar.file(`${i}/a/b/c/d/e`);
    await expect(lab.convert(tar.build(), { maxEntries: 100 })).rejects.toMatchObject(limit(/100 entries/));
  });

  it('stops directories 10,000 deep, given at once or reached by links', async () => {
    const deep = new TarBuilder().gnuLong('L', 'd/'.repeat(10_000)).directory('x').build();
    await expect(lab.convert(deep)).rejects.toMatchObject(limit(/4095 bytes/));
    const below = new TarBuilder().gnuLong('L', 'd/'.repeat(1025)).directory('x').build();
    await expect(lab.convert(below)).rejects.toMatchObject(limit(/1024 components/));
    const linked = new TarBuilder()
      .gnuLong('L', 'd/'.repeat(1000))
      .directory('x')
      .gnuLong('K', 'd/'.repeat(1000))
      .symlink('s', 'x')
      .gnuLong('L', `s/${'e/'.repeat(1000)}`)
      .directory('x')
      .build();
    await expect(lab.convert(linked)).rejects.toMatchObject(limit(/1024 components/));
  });

  it('stops names and paths that Linux does not have', async () => {
    const long = new TarBuilder().gnuLong('L', 'n'.repeat(256)).file('x').build();
    await expect(lab.convert(long)).rejects.toMatchObject(limit(/255 bytes/));
  });

  it('stops large pax headers and long names before it reads them', async () => {
    const header = tarHeader({ path: 'pax', type: 'x', size: 5 * 1024 ** 3 });
    await expect(lab.convert(header)).rejects.toMatchObject(limit(/1048576 bytes/));
    await expect(lab.convert(tarHeader({ path: 'L', type: 'L', size: 2 ** 21 }))).rejects.toMatchObject(
      limit(/1048576/),
    );
    const small = new TarBuilder()
      .raw(paxHeader({ comment: 'c'.repeat(2000) }))
      .file('f')
      .build();
    await expect(lab.convert(small, { maxHeaderBytes: 1000 })).rejects.toMatchObject(limit(/1000 bytes/));
  });

  it('stops files beyond the limit, holes included', async () => {
    const sparse = oldGnuSparse('s', 1024 ** 4 + 1, [{ offset: 0, data: 'x' }]);
    await expect(lab.convert(sparse)).rejects.toMatchObject({ ...limit(/1099511627776 bytes/), path: 's' });
    await expect(lab.convert(tarHeader({ path: 'f', size: 2 ** 50 }))).rejects.toMatchObject(
      limit(/1099511627776/),
    );
  });

  it('stops sparse maps of more extents than it will hold', async () => {
    const records = { 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.realsize': '10' };
    const lie = new TarBuilder()
      .entry({ path: 's', pax: records, data: '99999999\n'.padEnd(512, '\0') })
      .build();
    await expect(lab.convert(lie)).rejects.toMatchObject(limit(/1048576 extents/));
  });

  it('does not let a thousand empty sparse files grow into gigabytes', async () => {
    const tar = new TarBuilder();
    for (let i = 0; i < 1000; i++) tar.raw(oldGnuSparse(`s${i}`, 1024 ** 4, []));
    const { result } = await lab.convert(gzipSync(tar.build()));
    expect(result.erofsBytes).toBeLessThan(1024 * 1024);
  });

  it('stops xattrs that the format cannot hold', async () => {
    const value = new TarBuilder()
      .entry({ path: 'f', pax: { 'SCHILY.xattr.user.x': 'v'.repeat(65_536) } })
      .build();
    await expect(lab.convert(value)).rejects.toMatchObject(limit(/65535 bytes/));
    const many = Object.fromEntries(
      Array.from({ length: 5 }, (_, i) => [`SCHILY.xattr.user.${i}`, 'v'.repeat(60_000)]),
    );
    await expect(lab.convert(new TarBuilder().entry({ path: 'f', pax: many }).build())).rejects.toMatchObject(
      limit(/256 KiB/),
    );
  });
});
