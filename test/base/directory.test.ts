// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { listDirectory, makeDirectory } from '../../src/base/directory.ts';

let scratch: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'hrun-directory-'));
});
afterEach(() => rmSync(scratch, { recursive: true }));

describe('makeDirectory', () => {
  test('makes what is missing above it, and is content with what is there', async () => {
    const path = join(scratch, 'a/b/c');
    await makeDirectory(path, 0o700);
    await makeDirectory(path);
    expect(statSync(path).mode & 0o777).toBe(0o700);
  });

  test('is what many can do at once, whoever makes the directories above', async () => {
    for (let round = 0; round < 200; round++) {
      const above = join(scratch, String(round));
      const makers = [1, 2, 3, 4].map((n) => makeDirectory(join(above, 'b', 'c', String(n % 2))));
      mkdirSync(join(above, 'b'), { recursive: true });
      await Promise.all(makers);
    }
  });

  test('fails where a file is in the way, and where directories cannot be made', async () => {
    await expect(makeDirectory('/etc/passwd/x')).rejects.toMatchObject({ code: 'ENOTDIR' });
    await expect(makeDirectory('/proc/none/x')).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

test('listDirectory finds nothing where nothing is', () => {
  mkdirSync(join(scratch, 'there'));
  expect(listDirectory(scratch)).toEqual(['there']);
  expect(listDirectory(join(scratch, 'none'))).toEqual([]);
  expect(() => listDirectory('/etc/passwd')).toThrow('ENOTDIR');
});
