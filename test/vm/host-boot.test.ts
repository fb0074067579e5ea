// SPDX-License-Identifier: Apache-2.0
// What the unit of systemd runs when the host boots and goes down. A crash of the host is simulated by SIGKILL to every process
// of the store at once; what only a new kernel has, such as its boot's ID, no file of a store depends on.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execaSync } from 'execa';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { eventually, FIXTURES, TestStore } from './hrun.ts';

const INSTALL = join(import.meta.dirname, '../../scripts/install-service.sh');

const store = new TestStore();
beforeAll(() => store.load(FIXTURES));
afterEach(() => store.clear());
afterAll(() => store.remove());

const ok = store.ok.bind(store);

const run = (name: string, restart: string, ...command: string[]) =>
  ok('run', '-d', '--name', name, '--restart', restart, 'busybox', ...command);

const TRAP = ['sh', '-c', 'trap "echo stopped; exit 0" TERM; echo ready; while :; do sleep 0.1; done'];

const ready = (name: string) => expect.poll(() => ok('logs', name), { timeout: 60_000 }).toBe('ready');

/** Names of those that run. */
async function running(): Promise<string[]> {
  const names = await ok('ps', '-f', 'status=running', '--format', '{{.Names}}');
  return names.split('\n').filter(Boolean).sort();
}

async function crash(): Promise<void> {
  for (const pid of store.processIds()) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
  await eventually(() => store.processIds().length === 0);
}

describe('after a boot of the host', { timeout: 300_000 }, () => {
  test('a crash lets run again what ran and is to run always, or unless it was stopped, and nothing else', async () => {
    await Promise.all([
      run('always', 'always', 'sleep', '600'),
      run('unless', 'unless-stopped', 'sleep', '600'),
      run('failing', 'on-failure', 'sleep', '600'),
      run('once', 'no', 'sleep', '600'),
      ok('create', '--name', 'made', '--restart', 'always', 'busybox', 'sleep', '600'),
    ]);
    await Promise.all([
      run('stopped-always', 'always', 'sleep', '600'),
      run('stopped-unless', 'unless-stopped', 'sleep', '600'),
      run('killed-unless', 'unless-stopped', 'sleep', '600'),
    ]);
    await Promise.all([
      ok('stop', '-t', '0', 'stopped-always', 'stopped-unless'),
      ok('kill', 'killed-unless'),
    ]);
    await crash();
    expect(await running()).toEqual([]);
    expect((await ok('system', 'start')).split('\n')).toEqual(expect.arrayContaining(['always', 'unless']));
    expect(await running()).toEqual(['always', 'stopped-always', 'unless']);
    expect(await ok('system', 'start')).toBe('');
  });

  test('a proper shut-down stops all of them gently, and is no stop of the user', async () => {
    await run('gentle', 'unless-stopped', ...TRAP);
    await run(
      'waits',
      'unless-stopped',
      'sh',
      '-c',
      'test -e /once || { touch /once; exec sleep 600; }; exit 3',
    );
    await run('paused', 'always', ...TRAP);
    await run('once', 'no', ...TRAP);
    await Promise.all([ready('gentle'), ready('paused')]);
    await ok('pause', 'paused');
    expect((await ok('system', 'stop', '--time', '20')).split('\n').sort()).toEqual([
      'gentle',
      'once',
      'paused',
      'waits',
    ]);
    await eventually(() => store.processIds().length === 0);
    for (const name of ['gentle', 'paused']) expect(await ok('logs', name)).toBe('ready\nstopped');
    await ok('system', 'start');
    await expect.poll(running, { timeout: 60_000 }).toEqual(expect.arrayContaining(['gentle', 'paused']));
    expect(await running()).not.toContain('once');
    await ok('stop', '-t', '0', 'waits');
  });

  test('SIGTERM to its keeper, as at a shut-down without the unit, is no stop of the user either', async () => {
    await run('left', 'unless-stopped', ...TRAP);
    const { monitorPid } = await store.reached('running');
    await ready('left');
    process.kill(monitorPid, 'SIGTERM');
    await eventually(() => store.processIds().length === 0);
    expect(await ok('logs', 'left')).toBe('ready\nstopped');
    await ok('system', 'start');
    expect(await running()).toEqual(['left']);
  });

  test('one that waits for its next run is stopped for good by its user, not by the host', async () => {
    await run('again', 'unless-stopped', 'false');
    const waits = () =>
      expect
        .poll(() => ok('inspect', '-f', '{{.State.Restarting}}', 'again'), { timeout: 60_000 })
        .toBe('true');
    await expect
      .poll(async () => Number(await ok('inspect', '-f', '{{.RestartCount}}', 'again')), { timeout: 150_000 })
      .toBeGreaterThan(4);
    await waits();
    await ok('system', 'stop');
    expect(await ok('system', 'start')).toBe('again');
    await ok('stop', 'again');
    expect(await ok('system', 'start')).toBe('');
  });
});

describe('scripts/install-service.sh', () => {
  const directory = mkdtempSync(join(tmpdir(), 'hrun-unit-'));
  afterAll(() => rmSync(directory, { recursive: true }));
  const install = (...args: string[]) =>
    execaSync(INSTALL, args, { env: { HRUN_ROOT: '/srv/my "own" 5%', HRUN_UNIT_DIRECTORY: directory } })
      .stdout;

  test('puts a unit there that starts and stops the containers of this store, and takes it away', () => {
    install();
    const unit = readFileSync(join(directory, 'hrun.service'), 'utf8');
    expect(unit).toContain('Environment="HRUN_ROOT=/srv/my \\"own\\" 5%%"');
    expect(unit).toMatch(/^ExecStart=-".*\/bin\/hrun" system start$/m);
    expect(unit).toMatch(/^ExecStop=".*\/bin\/hrun" system stop --time 60$/m);
    expect(unit).not.toContain('@');
    install('--remove');
    expect(readdirSync(directory)).toEqual([]);
  });

  test('writes what systemd understands', ({ skip }) => {
    const found = execaSync('sh', ['-c', 'command -v systemd-analyze'], { reject: false });
    if (found.exitCode !== 0) skip('this host cannot check units: it has no systemd-analyze');
    const path = join(directory, 'verified.service');
    writeFileSync(path, `${install('--print')}\n`);
    const { exitCode, stderr } = execaSync('systemd-analyze', ['verify', path], { reject: false });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    rmSync(path);
  });
});
