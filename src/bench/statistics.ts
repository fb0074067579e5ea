// SPDX-License-Identifier: Apache-2.0

/** What a row of times comes to; all in the times' own unit. */
export interface Summary {
  runs: number;
  min: number;
  p50: number;
  p90: number;
  p99: number;
}

/** A ratio of medians, and the bounds that hold it with 95 % confidence. */
export interface Ratio {
  ratio: number;
  low: number;
  high: number;
}

const RESAMPLES = 2000;

export function summarize(times: readonly number[]): Summary {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => quantile(sorted, share);
  return { runs: sorted.length, min: at(0), p50: at(0.5), p90: at(0.9), p99: at(0.99) };
}

/** The quantile of sorted values, between two of them by proportion. */
export function quantile(sorted: readonly number[], share: number): number {
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const next = sorted[Math.min(below + 1, sorted.length - 1)]!;
  return sorted[below]! + (next - sorted[below]!) * (place - below);
}

/** median(times) / median(baseline) with a bootstrap interval (Efron's percentile method); `random` gives numbers from 0 to 1. */
export function ratioOfMedians(
  times: readonly number[],
  baseline: readonly number[],
  random: () => number = Math.random,
): Ratio {
  const ratios = Array.from(
    { length: RESAMPLES },
    () => medianOfResample(times, random) / medianOfResample(baseline, random),
  );
  ratios.sort((a, b) => a - b);
  return {
    ratio: median(times) / median(baseline),
    low: quantile(ratios, 0.025),
    high: quantile(ratios, 0.975),
  };
}

function median(values: readonly number[]): number {
  return quantile(
    values.toSorted((a, b) => a - b),
    0.5,
  );
}

function medianOfResample(values: readonly number[], random: () => number): number {
  return median(values.map(() => values[Math.floor(random() * values.length)]!));
}
