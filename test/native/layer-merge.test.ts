// SPDX-License-Identifier: Apache-2.0
import { afterAll, describe, expect, it } from 'vitest';
import type { ErofsReader } from '../fixtures/erofs-reader.ts';
import { LayerLab } from '../fixtures/layers.ts';
import { TarBuilder } from '../fixtures/tar-builder.ts';

const lab = new LayerLab();
afterAll(() => lab[Symbol.dispose]());

const text = (reader: ErofsReader, path: string) => reader.data(reader.tree().get(path)!.nid).toString();
const paths = (reader: ErofsReader) => [...reader.tree().keys()].sort();

describe('mergeLayers', () => {
  const base = new TarBuilder()
    .directory('etc', { mode: 0o711, mtime: 9 })
    .file('etc/a', 'base a')
    .file('etc/b', 'base b')
    .directory('opt')
    .file('opt/x/y')
    .symlink('lib', 'usr/lib')
    .build();

  it('shows what overlayfs would show of the layers', async () => {
    const top = new TarBuilder()
      .file('etc/a', 'top a')
      .file('etc/.wh.b')
      .directory('opt', { mode: 0o700 })
      .file('opt/.wh..wh..opq')
      .file('opt/new')
      .build();
    using reader = await lab.merge([base, top]);
    expect(paths(reader)).toEqual(['.', 'etc', 'etc/a', 'lib', 'opt', 'opt/new']);
    expect(text(reader, 'etc/a')).toBe('top a');
    expect(reader.tree().get('opt')).toMatchObject({ mode: 0o700, xattrs: {} });
  });

  it('keeps a lower directory as it was when an upper layer only passes through it', async () => {
    using reader = await lab.merge([base, new TarBuilder().file('etc/c').build()]);
    expect(reader.tree().get('etc')).toMatchObject({ mode: 0o711, mtime: 9_000_000_000n });
  });

  it('keeps whiteouts and opaque directories for layers below when it is not the bottom', async () => {
    const top = new TarBuilder().file('.wh.gone').file('etc/.wh..wh..opq').build();
    using reader = await lab.merge([base, top], false);
    expect(reader.tree().get('gone')).toMatchObject({ type: 'char', device: [0, 0] });
    expect(reader.tree().get('etc')!.xattrs).toEqual({ 'trusted.overlay.opaque': 'y' });
    expect(paths(reader)).not.toContain('etc/a');
  });

  it('resolves hard links to files of lower layers', async () => {
    using reader = await lab.merge([base, new TarBuilder().hardLink('linked', 'etc/a').build()]);
    expect(reader.tree().get('linked')).toMatchObject({ nid: reader.tree().get('etc/a')!.nid, nlink: 2 });
  });

  it('refuses a hard link to what no layer holds', async () => {
    await expect(
      lab.merge([base, new TarBuilder().hardLink('here', 'nowhere').build()]),
    ).rejects.toMatchObject({
      code: 'LAYER_CORRUPT',
      path: 'here',
      message: expect.stringContaining('nowhere'),
    });
  });

  it('never lets a whiteout touch its own layer, wherever it stands', async () => {
    const top = new TarBuilder()
      .file('opt/x/own')
      .file('opt/.wh..wh..opq')
      .file('etc/a', 'own')
      .file('.wh.etc')
      .build();
    using reader = await lab.merge([base, top]);
    expect(paths(reader)).toEqual(['.', 'etc', 'etc/a', 'lib', 'opt', 'opt/x', 'opt/x/own']);
    expect(text(reader, 'etc/a')).toBe('own');
  });

  it('gives an upper layer its own directory where a lower one has a symbolic link', async () => {
    using reader = await lab.merge([base, new TarBuilder().file('lib/own').build()]);
    expect(reader.tree().get('lib')!.type).toBe('directory');
    expect(paths(reader)).not.toContain('usr/lib/own');
  });

  it('replaces directories by files and files by directories', async () => {
    const top = new TarBuilder().file('opt', 'file now').file('etc/a/below').build();
    using reader = await lab.merge([base, top]);
    expect(text(reader, 'opt')).toBe('file now');
    expect(reader.tree().get('etc/a')!.type).toBe('directory');
  });

  it('says in which layer it failed', async () => {
    await expect(lab.merge([base, Buffer.alloc(512, 'x')])).rejects.toMatchObject({ code: 'LAYER_CORRUPT' });
  });
});
