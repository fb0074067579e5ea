// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execaSync } from 'execa';
import { afterAll, expect, test } from 'vitest';
import { rootAt } from '../../src/base/root.ts';
import { rehearsalLayer } from '../../src/core/rehearsal.ts';

const dir = mkdtempSync(join(tmpdir(), 'hrun-rehearsal-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test('the layer of a rehearsal has one program, which ends well by its interpreter, and is made once', async () => {
  const root = rootAt(dir);
  const path = await rehearsalLayer(root);
  const { ino } = statSync(path);
  expect(await rehearsalLayer(root)).toBe(path);
  expect(statSync(path).ino).toBe(ino);
  expect(readdirSync(root.cache)).toHaveLength(1);
  const tree = join(dir, 'tree');
  execFileSync('fsck.erofs', [`--extract=${tree}`, path], { stdio: 'pipe' });
  expect(readdirSync(tree).sort()).toEqual(['loader', 'true']);
  for (const name of readdirSync(tree)) {
    expect(statSync(join(tree, name)).mode & 0o777).toBe(0o755);
    expect(readFileSync(join(tree, name)).subarray(1, 4).toString()).toBe('ELF');
  }
  expect(readFileSync(join(tree, 'true')).includes('/loader\0')).toBe(true);
  const { stdout, stderr } = execaSync('chroot', [tree, '/true']);
  expect({ stdout, stderr }).toEqual({ stdout: 'rehearsed', stderr: 'rehearsed' });
});
