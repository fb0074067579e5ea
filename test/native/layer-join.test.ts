// SPDX-License-Identifier: Apache-2.0
import { closeSync, openSync, statSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { type JoinResult, native } from '../../src/native/index.ts';
import { ErofsReader } from '../fixtures/erofs-reader.ts';
import { fsck, LayerLab } from '../fixtures/layers.ts';
import { TarBuilder } from '../fixtures/tar-builder.ts';

const lab = new LayerLab();
afterAll(() => lab[Symbol.dispose]());

/** Converts the layers, lowest first, and joins them. */
async function join(...tars: TarBuilder[]): Promise<JoinResult & { image: string }> {
  const images = await Promise.all(tars.map(async (tar) => (await lab.convert(tar.build())).image));
  const image = lab.path('erofs');
  const fds = images.map((path) => openSync(path, 'r'));
  const outputFd = openSync(image, 'w+');
  try {
    return { image, ...(await native().joinDirectories(fds, { outputFd })) };
  } finally {
    for (const fd of [outputFd, ...fds]) closeSync(fd);
  }
}

const base = () =>
  new TarBuilder()
    .directory('.', { mode: 0o750, mtime: 1 })
    .directory('tmp', { mode: 0o1777, mtime: 2, pax: { 'SCHILY.xattr.user.note': 'kept' } })
    .directory('usr', { mode: 0o755, uid: 3, mtime: 3 })
    .directory('usr/share', { mode: 0o711, mtime: 4 })
    .file('usr/share/doc')
    .directory('opt', { mode: 0o700, mtime: 5 });

describe('joinDirectories', () => {
  it('describes what upper layers only imply as the lower ones describe it, and nothing else', async () => {
    const { image, lowest } = await join(base(), new TarBuilder().file('tmp/new').file('usr/share/more'));
    expect(lowest).toBe(0);
    await fsck(image);
    using reader = new ErofsReader(image);
    const tree = reader.tree();
    expect([...tree.keys()]).toEqual(['.', 'tmp', 'usr', 'usr/share']);
    expect(tree.get('.')).toMatchObject({ mode: 0o750, mtime: 1_000_000_000n });
    expect(tree.get('tmp')).toMatchObject({
      mode: 0o1777,
      mtime: 2_000_000_000n,
      xattrs: { 'user.note': 'kept' },
    });
    expect(tree.get('usr')).toMatchObject({ uid: 3, mtime: 3_000_000_000n });
    expect(tree.get('usr/share')).toMatchObject({ mode: 0o711, mtime: 4_000_000_000n });
  });

  it('writes nothing when every layer describes its directories', async () => {
    const upper = new TarBuilder().directory('.').directory('tmp').file('tmp/new');
    const { image, erofsBytes } = await join(base(), upper);
    expect(erofsBytes).toBe(0);
    expect(statSync(image).size).toBe(0);
  });

  it('takes the highest layer that has an entry of its own', async () => {
    const middle = new TarBuilder().directory('.', { mode: 0o755 }).directory('tmp', { mode: 0o700 });
    const { image } = await join(base(), middle, new TarBuilder().directory('.').file('tmp/new'));
    using reader = new ErofsReader(image);
    expect(reader.tree().get('tmp')).toMatchObject({ mode: 0o700, xattrs: {} });
  });

  it('does not look behind whiteouts, files and opaque directories', async () => {
    const root = () => new TarBuilder().directory('.');
    const whiteout = root().file('.wh.tmp').file('usr/.wh..wh..opq').file('opt', 'a file');
    const { erofsBytes } = await join(
      base(),
      whiteout,
      root().file('tmp/x').file('opt/y').file('usr/share/z'),
    );
    // "usr" is implied in both upper layers and opaque in the middle: nobody who still shows describes it.
    expect(erofsBytes).toBe(0);
  });

  it('says from which layer on an opaque root hides the others', async () => {
    const { lowest } = await join(base(), new TarBuilder().directory('.').file('.wh..wh..opq'), base());
    expect(lowest).toBe(1);
  });

  it('says how many layers must be merged when one has hard links to files below it', async () => {
    const linking = new TarBuilder().hardLink('link', 'usr/share/doc').file('other');
    const { merge, erofsBytes } = await join(base(), base(), linking, base());
    expect({ merge, erofsBytes }).toEqual({ merge: 3, erofsBytes: 0 });
  });

  it('refuses a file that is no image', async () => {
    const path = lab.path('rubbish');
    const [fd, outputFd] = [openSync(path, 'w+'), openSync(lab.path('erofs'), 'w+')];
    await expect(native().joinDirectories([fd], { outputFd })).rejects.toMatchObject({
      code: 'LAYER_CORRUPT',
    });
    closeSync(fd);
    closeSync(outputFd);
  });
});
