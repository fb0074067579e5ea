// SPDX-License-Identifier: Apache-2.0
// hrun pool, as far as it needs no machine; the rest: test/vm/pool.test.ts.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hrun } from '../fixtures/hrun.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hrun-pool-'));
  process.env.HRUN_ROOT = dir;
  process.env.HRUN_ENGINE = 'qemu';
  process.env.HRUN_TEMPLATES = 'use';
});
afterEach(() => {
  delete process.env.HRUN_TEMPLATES;
  rmSync(dir, { recursive: true, force: true });
});

const refused = async (...words: string[]) => {
  const { exitCode, stderr } = await hrun('pool', ...words);
  return `${exitCode} ${stderr}`;
};

describe('hrun pool', () => {
  test('create refuses what is no number of machines, no size and no engine of a pool', async () => {
    for (const size of ['0', '65', '-1', '1.5', 'x', ''])
      expect(await refused('create', '--size', size)).toMatch(
        /^125 hrun: --size ".*" is not a number from 1/,
      );
    expect(await refused('create', '-m', 'x')).toMatch(/^125 hrun: --memory "x" is not a size/);
    expect(await refused('create', '-m', '1m')).toMatch(/1048576 bytes of memory are too little/);
    expect(await refused('create', '--cpus', 'many')).toMatch(/^125 hrun: --cpus "many" is not a number/);
    expect(await refused('create', 'busybox')).toMatch(/^125 hrun: /);
    process.env.HRUN_TEMPLATES = 'off';
    expect(await refused('create')).toMatch(/^125 hrun: HRUN_TEMPLATES=off/);
  });

  test('ls lists none, and those whose machines are all gone', async () => {
    expect((await hrun('pool', 'ls', '--format', '{{.Size}}')).stdout).toBe('');
    mkdirSync(join(dir, 'pool/2-512', 'f'.repeat(64), 'e'.repeat(64), 'settings'), { recursive: true });
    const settings = { version: 1, engine: 'qemu', vcpus: 2, memoryMiB: 512, wanted: 3 };
    writeFileSync(join(dir, 'pool/2-512/pool.json'), JSON.stringify(settings));
    const format = '{{.Engine}} {{.Memory}} {{.CPUs}} {{.Size}} {{.Waiting}} {{.Usage}}';
    expect((await hrun('pool', 'ls', '--format', format)).stdout).toBe('qemu 512MiB 2 3 0 0B\n');
  });

  test('rm says which pool there is not, and removes what killed machines have left', async () => {
    expect(await refused('rm')).toMatch(/^1 hrun: no such pool: 1 CPUs, 1024 MiB; see: hrun pool ls\n$/);
    expect(await refused('rm', '--all', '--cpus', '1')).toMatch(/^125 hrun: --all and .* contradict/);
    mkdirSync(join(dir, 'pool/1-512', 'f'.repeat(64), 'e'.repeat(64)), { recursive: true });
    const settings = { version: 1, engine: 'qemu', vcpus: 1, memoryMiB: 512, wanted: 3 };
    writeFileSync(join(dir, 'pool/1-512/pool.json'), JSON.stringify(settings));
    expect(await hrun('pool', 'rm', '-m', '512m')).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    expect((await hrun('pool', 'ls', '--format', '{{.Size}}')).stdout).toBe('');
    expect(await hrun('pool', 'rm', '-a')).toEqual({ exitCode: 0, stdout: '', stderr: '' });
  });
});
