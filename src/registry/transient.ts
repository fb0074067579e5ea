// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises';
import { type ErrorCode, HrunError } from '../base/errors.ts';
import type { RegistryTiming } from './settings.ts';

/** A failure that may be gone on the next attempt: a reset connection, a stall, a 429 or 5xx answer. */
export class TransientError extends HrunError {
  /** what the server asked for in Retry-After, in milliseconds */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { hint?: string; cause?: unknown; retryAfterMs?: number | undefined } = {},
  ) {
    super(code, message, options);
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** Runs `attempt` until it succeeds, fails for good, or `timing.attempts` are used up. */
export async function withRetries<T>(
  timing: RegistryTiming,
  signal: AbortSignal | undefined,
  attempt: () => Promise<T>,
): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof TransientError) || failures >= timing.attempts) throw error;
      await backOff(timing, failures, error, signal);
    }
  }
}

/** Waits before the attempt after the `failures`th failure: exponential with jitter, or what the server asked for. */
export async function backOff(
  timing: RegistryTiming,
  failures: number,
  error: TransientError,
  signal: AbortSignal | undefined,
): Promise<void> {
  const exponential = timing.backoffMs * 2 ** (failures - 1) * (0.5 + Math.random() / 2);
  const wait = Math.min(Math.max(exponential, error.retryAfterMs ?? 0), timing.maxBackoffMs);
  await sleep(wait, undefined, signal ? { signal } : {});
}

/** Milliseconds of a Retry-After header (RFC 9110 section 10.2.3), undefined when absent or odd. */
export function parseRetryAfter(value: string | undefined, now = Date.now()): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
