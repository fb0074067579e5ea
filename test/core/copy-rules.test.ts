// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { containerPath } from '../../src/core/container-files.ts';
import { archiveName, planCopy, splitContainerPath } from '../../src/core/copy-rules.ts';

const file = { isDirectory: false };
const directory = { isDirectory: true };

describe('planCopy', () => {
  test('copies into a directory that exists', () => {
    const destination = { path: '/d', exists: true, isDirectory: true };
    expect(planCopy(file, destination)).toEqual({ directory: '/d', name: undefined });
    expect(planCopy(directory, destination)).toEqual({ directory: '/d', name: undefined });
  });

  test('copies to a new name, or over a file', () => {
    const missing = { path: '/d/new', exists: false, isDirectory: false };
    expect(planCopy(file, missing)).toEqual({ directory: '/d', name: 'new' });
    expect(planCopy(directory, missing)).toEqual({ directory: '/d', name: 'new' });
    expect(planCopy(file, { ...missing, exists: true })).toEqual({ directory: '/d', name: 'new' });
    expect(planCopy(directory, { ...missing, path: '/d/new/' })).toEqual({ directory: '/d', name: 'new' });
  });

  test('makes no file where a directory is meant, and no directory where a file is', () => {
    const missing = { path: '/d/new/', exists: false, isDirectory: false };
    expect(() => planCopy(file, missing)).toThrow('no such directory');
    expect(() => planCopy(directory, { path: '/f', exists: true, isDirectory: false })).toThrow(
      'cannot copy directory',
    );
  });
});

test.each([
  ['web:/etc/x', { container: 'web', path: '/etc/x' }],
  ['web:rel', { container: 'web', path: 'rel' }],
  ['./a:b', undefined],
  ['/a:b', undefined],
  ['-', undefined],
  ['plain', undefined],
])('%s is %o', (text, expected) => {
  expect(splitContainerPath(text)).toEqual(expected);
});

test.each([
  ['/a/b', '/a/b', 'b'],
  ['a//b/', '/a/b/', 'b'],
  ['a/b/.', '/a/b/.', '.'],
  ['../../x', '/x', 'x'],
  ['/', '/', '/'],
  ['.', '/.', '.'],
])('%s is %s in a container, called %s in an archive', (text, path, name) => {
  expect(containerPath(text)).toBe(path);
  expect(archiveName(path)).toBe(name);
});
