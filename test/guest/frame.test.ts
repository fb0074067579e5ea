// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { hasCode } from '../../src/base/errors.ts';
import { FrameReader } from '../../src/guest/frame.ts';

/** A small deterministic generator, so that a failure can be repeated. */
function randomBytes(seed: number, count: number): Buffer {
  let state = seed;
  return Buffer.from(
    Array.from({ length: count }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state >>> 24;
    }),
  );
}

describe('a frame reader', () => {
  test('takes any bytes, or says that the protocol is broken', () => {
    let refused = 0;
    for (let seed = 1; seed <= 5000; seed++) {
      const bytes = randomBytes(seed, 64);
      bytes.writeUInt32LE(seed % 16, 0);
      bytes[4] = seed % 40;
      bytes.fill(0, 5, 8);
      try {
        new FrameReader({ data: () => {}, end: () => {}, frame: () => {} }).push(bytes);
      } catch (error) {
        if (!hasCode(error, 'PROTOCOL')) throw error;
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(4000);
  });

  test('ignores what comes after it was stopped', () => {
    const types: number[] = [];
    const reader = new FrameReader({
      data: () => {},
      end: () => {},
      frame: (type) => {
        types.push(type);
        reader.stop();
      },
    });
    reader.push(Buffer.from([0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0]));
    expect(types).toEqual([3]);
  });
});
