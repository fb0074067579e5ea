// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { quantile, ratioOfMedians, summarize } from '../../src/bench/statistics.ts';

/** Numbers that look random and are the same each time. */
function generator(): () => number {
  let state = 12345;
  return () => {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    return state / 2 ** 31;
  };
}

test('quantiles lie between the values by proportion', () => {
  expect(quantile([10], 0.99)).toBe(10);
  expect(quantile([10, 20], 0.5)).toBe(15);
  expect(quantile([0, 10, 20, 30, 40], 0.25)).toBe(10);
  expect(summarize([5, 1, 3, 2, 4])).toMatchObject({ runs: 5, min: 1, p50: 3 });
  expect(summarize([5, 1, 3, 2, 4]).p90).toBeCloseTo(4.6);
});

test('the interval of a ratio holds the true one, and is the narrower the more runs there are', () => {
  const random = generator();
  const noisy = (centre: number, count: number) =>
    Array.from({ length: count }, () => centre * (0.8 + 0.4 * random()));
  const few = ratioOfMedians(noisy(200, 10), noisy(100, 10), random);
  const many = ratioOfMedians(noisy(200, 400), noisy(100, 400), random);
  for (const { low, ratio, high } of [few, many]) {
    expect(low).toBeLessThanOrEqual(ratio);
    expect(high).toBeGreaterThanOrEqual(ratio);
    expect(low).toBeLessThan(2);
    expect(high).toBeGreaterThan(2);
  }
  expect(many.high - many.low).toBeLessThan((few.high - few.low) / 2);
});

test('one median is as many times another as it is', () => {
  expect(ratioOfMedians([30, 30, 30], [20, 20, 20], generator())).toEqual({
    ratio: 1.5,
    low: 1.5,
    high: 1.5,
  });
});
