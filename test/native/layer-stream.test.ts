// SPDX-License-Identifier: Apache-2.0
import { createHash, randomBytes } from 'node:crypto';
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { native } from '../../src/native/index.ts';
import { fsck, LayerLab } from '../fixtures/layers.ts';
import { TarBuilder, tarHeader } from '../fixtures/tar-builder.ts';

const lab = new LayerLab();
afterAll(() => lab[Symbol.dispose]());

const tar = new TarBuilder().file('random', randomBytes(9_000_000)).file('f', 'x').build();
const blob = gzipSync(tar, { level: 1 });

/** How many threads of this process belong to conversions. */
function conversionThreads(): number {
  return readdirSync('/proc/self/task').filter((task) => {
    try {
      return readFileSync(`/proc/self/task/${task}/comm`, 'utf8').startsWith('hrun-');
    } catch {
      return false;
    }
  }).length;
}

/** A thread that was joined is in /proc until the kernel has done with it. */
async function noConversionThreads(): Promise<void> {
  await expect.poll(conversionThreads, { timeout: 30_000 }).toBe(0);
}

describe('openLayerStream', () => {
  it.each([[1000], [65_536], [blob.length]])(
    'makes the same of chunks of %i bytes as convertLayer',
    async (size) => {
      const [image, copy] = [lab.path('erofs'), lab.path('copy')];
      const [outputFd, blobFd] = [openSync(image, 'w+'), openSync(copy, 'w+')];
      const stream = native().openLayerStream({ outputFd, blobFd });
      for (let at = 0; at < blob.length; at += size) await stream.write(blob.subarray(at, at + size));
      const result = await stream.end();
      closeSync(outputFd);
      closeSync(blobFd);
      await fsck(image);
      const whole = await lab.convert(blob);
      expect(result).toEqual(whole.result);
      expect(readFileSync(image).equals(readFileSync(whole.image))).toBe(true);
      expect(readFileSync(copy).equals(blob)).toBe(true);
      expect(result.blobSha256).toBe(createHash('sha256').update(blob).digest('hex'));
      expect(result.tarSha256).toBe(createHash('sha256').update(tar).digest('hex'));
      await noConversionThreads();
    },
  );

  it('takes writes that nobody waits for, in order', async () => {
    const outputFd = openSync(lab.path('erofs'), 'w+');
    const stream = native().openLayerStream({ outputFd });
    const writes: Promise<void>[] = [];
    for (let at = 0; at < tar.length; at += 1_000_000)
      writes.push(stream.write(tar.subarray(at, at + 1_000_000)));
    const [result] = await Promise.all([stream.end(), ...writes]);
    closeSync(outputFd);
    expect(result.tarSha256).toBe(createHash('sha256').update(tar).digest('hex'));
  });

  it('leaves no threads after abort, and rejects what is pending', async () => {
    const outputFd = openSync(lab.path('erofs'), 'w+');
    const stream = native().openLayerStream({ outputFd });
    const writes = Array.from({ length: 40 }, () => stream.write(Buffer.alloc(1_000_000)));
    const ending = stream.end();
    await Promise.all([stream.abort(), stream.abort()]);
    await expect(ending).rejects.toMatchObject({ code: 'LAYER_ABORTED' });
    await expect(writes.at(-1)).rejects.toMatchObject({ code: 'LAYER_ABORTED' });
    await Promise.allSettled(writes);
    await noConversionThreads();
    await stream.abort();
    closeSync(outputFd);
  });

  it('tells the writer of a broken layer while it writes, and again at the end', async () => {
    const outputFd = openSync(lab.path('erofs'), 'w+');
    const stream = native().openLayerStream({ outputFd });
    await expect(
      (async () => {
        for (;;) await stream.write(Buffer.alloc(100_000, 'rubbish'));
      })(),
    ).rejects.toMatchObject({ code: 'LAYER_CORRUPT' });
    await expect(stream.end()).rejects.toMatchObject({ code: 'LAYER_CORRUPT' });
    await noConversionThreads();
    closeSync(outputFd);
  });

  it('fails with the errno when the disk is full', async () => {
    const full = openSync('/dev/full', 'w');
    expect(readlinkSync(`/proc/self/fd/${full}`)).toBe('/dev/full');
    const outputFd = openSync(lab.path('erofs'), 'w+');
    const stream = native().openLayerStream({ outputFd, blobFd: full });
    await stream.write(tarHeader({ path: 'f' }));
    await expect(stream.end()).rejects.toMatchObject({ code: 'ENOSPC' });
    closeSync(full);
    closeSync(outputFd);
  });
});
