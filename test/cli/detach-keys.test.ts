// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { DETACH_KEYS, DetachKeys, parseDetachKeys } from '../../src/cli/detach-keys.ts';

/** What comes through when `chunks` are typed, and whether that detached. */
async function typed(keys: string, ...chunks: string[]): Promise<{ text: string; detached: boolean }> {
  let detached = false;
  const filter = new DetachKeys(parseDetachKeys(keys), () => {
    detached = true;
  });
  for (const chunk of chunks) filter.write(Buffer.from(chunk, 'latin1'));
  filter.end();
  let text = '';
  for await (const chunk of filter) text += (chunk as Buffer).toString('latin1');
  return { text, detached };
}

describe('the keys that detach', () => {
  test('are noticed in one piece and in several, and swallow what follows', async () => {
    expect(await typed(DETACH_KEYS, 'ab\x10\x11cd')).toEqual({ text: 'ab', detached: true });
    expect(await typed(DETACH_KEYS, 'ab\x10', '\x11', 'cd')).toEqual({ text: 'ab', detached: true });
  });

  test('let through what only begins like them', async () => {
    expect(await typed(DETACH_KEYS, 'a\x10b\x10\x10c')).toEqual({ text: 'a\x10b\x10\x10c', detached: false });
    expect(await typed(DETACH_KEYS, '\x10\x10\x11')).toEqual({ text: '\x10', detached: true });
    expect(await typed('a,a,b', 'aaab')).toMatchObject({ detached: false });
  });

  test('are letters and control characters', () => {
    expect(parseDetachKeys('ctrl-a,x,ctrl-@,ctrl-\\')).toEqual([1, 120, 0, 28]);
    for (const bad of ['ctrl-', 'ctrl-A', 'ab', 'a,', '']) {
      expect(() => parseDetachKeys(bad)).toThrow(/is not a list of keys/);
    }
  });
});
