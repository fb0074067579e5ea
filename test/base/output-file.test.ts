// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Sink, writeOutputFile } from '../../src/base/output-file.ts';

let dir: string;
let path: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hrun-output-'));
  path = join(dir, 'out');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const twoPieces = async (sink: Sink) => {
  await sink(Buffer.from('one '));
  await sink(Buffer.from('two'));
};

describe('a file for a result', () => {
  test('is made, and replaced, with the mode that is asked for', async () => {
    await writeOutputFile(path, 0o600, twoPieces);
    expect(readFileSync(path, 'utf8')).toBe('one two');
    expect(lstatSync(path).mode & 0o777).toBe(0o600);
    await writeOutputFile(path, 0o600, (sink) => sink(Buffer.from('three')));
    expect(readFileSync(path, 'utf8')).toBe('three');
    expect(readdirSync(dir)).toEqual(['out']);
  });

  test('stays as it was when what writes it fails, and nothing is left', async () => {
    writeFileSync(path, 'old');
    const failing = writeOutputFile(path, 0o600, async (sink) => {
      await sink(Buffer.from('half'));
      throw new Error('torn');
    });
    await expect(failing).rejects.toThrow('torn');
    expect(readFileSync(path, 'utf8')).toBe('old');
    expect(readdirSync(dir)).toEqual(['out']);
  });

  test('behind a symbolic link is replaced, not the link', async () => {
    writeFileSync(join(dir, 'real'), 'old');
    symlinkSync('real', path);
    await writeOutputFile(path, 0o600, twoPieces);
    expect(lstatSync(path).isSymbolicLink()).toBe(true);
    expect(readFileSync(join(dir, 'real'), 'utf8')).toBe('one two');
  });

  test('that is a device stays one', async (context) => {
    const made = await execa('mknod', [path, 'c', '1', '3'], { reject: false });
    if (made.failed) return context.skip('no device can be made here');
    await writeOutputFile(path, 0o600, twoPieces);
    expect(lstatSync(path).isCharacterDevice()).toBe(true);
    expect(readdirSync(dir)).toEqual(['out']);
  });

  test('that is a named pipe takes the bytes', async () => {
    await execa('mkfifo', [path]);
    const reader = spawn('cat', [path], { stdio: ['ignore', 'pipe', 'ignore'] });
    let heard = '';
    reader.stdout.on('data', (bytes) => (heard += bytes));
    const ended = new Promise((resolve) => reader.on('close', resolve));
    await writeOutputFile(path, 0o600, twoPieces);
    await ended;
    expect(heard).toBe('one two');
    expect(lstatSync(path).isFIFO()).toBe(true);
  });

  test('that cannot be there is said in one line', async () => {
    mkdirSync(path);
    await expect(writeOutputFile(path, 0o600, twoPieces)).rejects.toMatchObject({
      code: 'OUTPUT_FAILED',
      message: `${path} cannot be written: illegal operation on a directory`,
    });
    await expect(writeOutputFile(join(dir, 'no/where'), 0o600, twoPieces)).rejects.toMatchObject({
      code: 'OUTPUT_FAILED',
    });
  });
});
