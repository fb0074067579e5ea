// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { hrun } from '../fixtures/hrun.ts';

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

  test('--version is the version command', async () => {
    expect(await hrun('--version')).toEqual(await hrun('version'));
  });

  test('names of Object.prototype are not commands', async () => {
    expect((await hrun('help', 'constructor')).exitCode).toBe(125);
  });
});
