// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { HrunError, systemMessage } from '../../base/errors.ts';

/**
 * The entries of --env-file and -e, files first, as Docker orders them. `NAME` alone takes the value it has
 * in `own`; an -e NAME without one there stays as it is, and takes the image's away.
 */
export function parseEnvironment(
  entries: readonly string[],
  files: readonly string[],
  own: NodeJS.ProcessEnv = process.env,
): string[] {
  const fromFiles = files
    .flatMap((file) => readEntries(file))
    .flatMap((entry) => inherited(entry, own) ?? []);
  return [...fromFiles, ...entries.map((entry) => inherited(checked(entry), own) ?? entry)];
}

/** `key=value` and `key` lines of --label-file: no value is the empty one. */
export function readLabelFile(path: string): string[] {
  return readEntries(path);
}

function inherited(entry: string, own: NodeJS.ProcessEnv): string | undefined {
  if (entry.includes('=')) return entry;
  const value = own[entry];
  return value === undefined ? undefined : `${entry}=${value}`;
}

function checked(entry: string): string {
  if (entry !== '' && !entry.startsWith('=')) return entry;
  throw new HrunError('USAGE', `-e ${JSON.stringify(entry)} has no variable name`, {
    hint: 'use NAME=VALUE',
  });
}

/** Lines of a file without comments and blank ones; a value is kept to the letter, quotes and spaces included. */
function readEntries(path: string): string[] {
  return readText(path)
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .map((line) => line.trimStart())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => checkedLine(line, path));
}

function checkedLine(line: string, path: string): string {
  const name = line.split('=', 1)[0]!;
  if (name !== '' && !/\s/.test(line.includes('=') ? name : name.trimEnd())) {
    return line.includes('=') ? line : name.trimEnd();
  }
  const problem = name === '' ? 'no variable name' : 'a variable name with white space';
  throw new HrunError('USAGE', `${path}: ${problem} in line ${JSON.stringify(line.slice(0, 80))}`);
}

function readText(path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path));
  } catch (error) {
    const why = error instanceof TypeError ? 'is not UTF-8' : `cannot be read: ${systemMessage(error)}`;
    throw new HrunError('USAGE', `${path} ${why}`, { cause: error });
  }
}
