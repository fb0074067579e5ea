// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { native } from '../../src/native/index.ts';

let dir: string;
let path: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hrun-lock-'));
  path = join(dir, 'lock');
});
afterEach(() => rmSync(dir, { recursive: true }));

const exclusive = (wait: boolean) => ({ shared: false, wait }) as { shared: false; wait: false };

describe('lockFile', () => {
  it('creates the file with mode 0600 and excludes a second exclusive lock of the same process', () => {
    const lock = native().lockFile(path, exclusive(false));
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(native().lockFile(path, exclusive(false))).toBeNull();
    lock!.release();
    native().lockFile(path, exclusive(false))!.release();
  });

  it('lets shared locks coexist and keeps an exclusive one out until the last is released', () => {
    const first = native().lockFile(path, { shared: true, wait: false })!;
    const second = native().lockFile(path, { shared: true, wait: false })!;
    first.release();
    expect(native().lockFile(path, exclusive(false))).toBeNull();
    second.release();
    second.release(); // idempotent
    expect(native().lockFile(path, exclusive(false))).not.toBeNull();
  });

  it('resolves waiters in turn, more of them than the thread pool has threads', async () => {
    const held = native().lockFile(path, exclusive(false))!;
    let holders = 0;
    const waiters = Array.from({ length: 12 }, async () => {
      const lock = await native().lockFile(path, { shared: false, wait: true });
      expect(++holders).toBe(1);
      await new Promise((resolve) => setImmediate(resolve));
      holders--;
      lock.release();
    });
    held.release();
    await Promise.all(waiters);
  });

  it('locks the file that has the name, not one that was unlinked while waiting', async () => {
    const old = native().lockFile(path, exclusive(false))!;
    const waiting = native().lockFile(path, { shared: false, wait: true });
    const blocked = new RegExp(`-> FLOCK .*:${statSync(path).ino} `);
    await expect.poll(() => readFileSync('/proc/locks', 'utf8'), { timeout: 30_000 }).toMatch(blocked);
    unlinkSync(path);
    const current = native().lockFile(path, exclusive(false))!;
    old.release();
    let resolved = false;
    void waiting.then(() => {
      resolved = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(resolved).toBe(false);
    current.release();
    (await waiting).release();
  });

  it('is released by the end of the process, even by SIGKILL', async () => {
    const addon = join(import.meta.dirname, '../../build/native/hrun.node');
    const script = `require(process.argv[1]).lockFile(process.argv[2], { shared: false, wait: false });
      console.log('held'); setInterval(() => {}, 1000);`;
    const child = execa(execPath, ['-e', script, addon, path], { reject: false });
    await once(child.stdout!, 'data');
    expect(native().lockFile(path, exclusive(false))).toBeNull();
    child.kill('SIGKILL');
    await child;
    expect(native().lockFile(path, exclusive(false))).not.toBeNull();
  });

  it('names the path and the errno when the file cannot be opened', async () => {
    const missing = join(dir, 'no', 'lock');
    expect(() => native().lockFile(missing, exclusive(false))).toThrow(
      expect.objectContaining({ code: 'ENOENT', message: expect.stringContaining(missing) }),
    );
    await expect(native().lockFile(missing, { shared: true, wait: true })).rejects.toMatchObject({
      code: 'ENOENT',
    });
  });
});
