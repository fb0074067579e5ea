// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { rootAt } from '../../src/base/root.ts';
import { rehearsalLayer } from '../../src/core/rehearsal.ts';

const dir = mkdtempSync(join(tmpdir(), 'hrun-rehearsal-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test('the layer of a rehearsal has one program, which ends well, and is made once', async () => {
  const root = rootAt(dir);
  const path = await rehearsalLayer(root);
  const { ino } = statSync(path);
  expect(await rehearsalLayer(root)).toBe(path);
  expect(statSync(path).ino).toBe(ino);
  expect(readdirSync(root.cache)).toHaveLength(1);
  const program = join(dir, 'true');
  execFileSync('dump.erofs', ['--path=/true', path], { stdio: 'pipe' });
  execFileSync('fsck.erofs', [`--extract=${join(dir, 'tree')}`, path], { stdio: 'pipe' });
  expect(readdirSync(join(dir, 'tree'))).toEqual(['true']);
  execFileSync('cp', [join(dir, 'tree/true'), program]);
  expect(execFileSync(program).toString()).toBe('');
  expect(statSync(program).mode & 0o777).toBe(0o755);
  expect(readFileSync(program).subarray(1, 4).toString()).toBe('ELF');
});
