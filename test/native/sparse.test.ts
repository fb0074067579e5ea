// SPDX-License-Identifier: Apache-2.0
import {
  closeSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { native } from '../../src/native/index.ts';

const MiB = 1024 * 1024;
let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hrun-sparse-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

function sparseFile(path: string, size: number, pieces: [offset: number, text: string][]): void {
  const fd = openSync(path, 'w');
  ftruncateSync(fd, size);
  for (const [offset, text] of pieces) writeSync(fd, text, offset);
  closeSync(fd);
}

describe('copySparse', () => {
  it('copies content and size but allocates no holes', async () => {
    const source = join(dir, 'source');
    const target = join(dir, 'target');
    sparseFile(source, 64 * MiB + 17, [
      [0, 'first'],
      [33 * MiB - 2, 'middle'],
    ]);
    await native().copySparse(source, target);
    expect(statSync(target).size).toBe(64 * MiB + 17);
    expect(readFileSync(target).equals(readFileSync(source))).toBe(true);
    expect(statSync(target).blocks * 512).toBeLessThan(MiB);
  });

  it('copies a disk of many gigabytes so that qemu-img finds no difference, nor in what is allocated', async () => {
    const source = join(dir, 'source');
    const target = join(dir, 'target');
    sparseFile(source, 10 * 1024 * MiB, [
      [4096, 'superblock'],
      [5 * 1024 * MiB, 'x'.repeat(MiB)],
      [10 * 1024 * MiB - 512, 'end'],
    ]);
    await native().copySparse(source, target);
    const { stdout } = await execa('qemu-img', ['compare', '-s', '-f', 'raw', '-F', 'raw', source, target]);
    expect(stdout).toBe('Images are identical.');
  });

  it('replaces what the target held', async () => {
    const source = join(dir, 'source');
    const target = join(dir, 'target');
    sparseFile(source, 100, []);
    sparseFile(target, MiB, [[0, 'old']]);
    await native().copySparse(source, target);
    expect(readFileSync(target).equals(Buffer.alloc(100))).toBe(true);
  });

  it('rejects with the errno and the path', async () => {
    const source = join(dir, 'missing');
    await expect(native().copySparse(source, join(dir, 'target'))).rejects.toMatchObject({
      code: 'ENOENT',
      message: expect.stringContaining(source),
    });
  });
});
