// SPDX-License-Identifier: Apache-2.0

import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { hrun } from '../fixtures/hrun.ts';

const HRUN = join(import.meta.dirname, '../../bin/hrun');

describe('the command line', () => {
  test('hrun alone explains itself', async () => {
    const result = await hrun();
    expect(result.exitCode).toBe(0);
    expect(result.stdout).toMatch(/^Usage: hrun \[run\] \[OPTIONS\] IMAGE/);
  });

  test('every command is listed by --help and explains itself', async () => {
    const { stdout } = await hrun('--help');
    const names = [...stdout.split('Commands:\n')[1]!.matchAll(/^ {2}(\S+(?: \S+)?) {2}/gm)].map(
      (match) => match[1]!,
    );
    expect(names).toContain('version');
    for (const name of names.filter((line) => !line.startsWith('HRUN_'))) {
      const help = await hrun(...name.split(' '), '--help');
      expect(help).toMatchObject({ exitCode: 0, stderr: '' });
      expect(help.stdout).toContain(`Usage: hrun ${name}`);
      expect((await hrun('help', ...name.split(' '))).stdout).toBe(help.stdout);
    }
  });

  test('an unknown option is one line with a hint, and exit code 125', async () => {
    expect(await hrun('version', '--nonsense')).toEqual({
      exitCode: 125,
      stdout: '',
      stderr: "hrun: unknown option '--nonsense'; see: hrun version --help\n",
    });
  });

  test("the first word of Docker's management commands is no image, but explains them", async () => {
    for (const words of [['container'], ['volume', '--help'], ['help', 'system']]) {
      const { exitCode, stdout, stderr } = await hrun(...words);
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
      expect(stdout).toMatch(/^Usage: hrun (container|volume|system) COMMAND/);
    }
    expect((await hrun('container')).stdout).toContain('  inspect ');
    expect(await hrun('volume', 'bogus')).toEqual({
      exitCode: 125,
      stdout: '',
      stderr: 'hrun: no such command: volume bogus; see: hrun volume --help\n',
    });
  });

  test("a command of Docker's that is not here is no image either, unless it is said to be one", async () => {
    expect(await hrun('search', 'debian')).toEqual({
      exitCode: 125,
      stdout: '',
      stderr:
        'hrun: hrun has no command search; see: hrun --help; for an image of this name: hrun run search\n',
    });
    expect((await hrun('run', '--pull', 'never', 'search')).stderr).toContain('no such image: search');
  });

  test('-h alone is help; with a name it is the host name of a container', async () => {
    expect((await hrun('-h')).stdout).toMatch(/^Usage: hrun/);
    expect((await hrun('ps', '-h')).stdout).toMatch(/^Usage: hrun ps/);
    expect((await hrun('-h', 'box')).stderr).toContain("missing required argument 'image'");
  });

  test('--env-file is no option of Node.js', async () => {
    const { exitCode, stderr } = await execa(HRUN, ['exec', '--env-file', '/none', 'box', 'true'], {
      reject: false,
    });
    expect({ exitCode, stderr }).toEqual({
      exitCode: 125,
      stderr: 'hrun: /none cannot be read: no such file or directory',
    });
  });

  test('version has the fields that scripts ask Docker for', async () => {
    const { stdout } = await hrun('version', '-f', '{{.Server.Version}} {{.Client.Os}}');
    expect((await hrun('version')).stdout).toContain(`hrun version ${stdout.split(' ')[0]} (`);
    expect(JSON.parse((await hrun('version', '--format', 'json')).stdout)).toHaveProperty('Client.Version');
  });

  test('--version is the version command', async () => {
    expect(await hrun('--version')).toEqual(await hrun('version'));
  });

  test('names of Object.prototype are not commands', async () => {
    expect((await hrun('help', 'constructor')).exitCode).toBe(125);
  });
});
