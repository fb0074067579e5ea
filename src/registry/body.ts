// SPDX-License-Identifier: Apache-2.0
import { errnoOf, HrunError } from '../base/errors.ts';
import { discard, type HttpResponse } from './http.ts';
import type { RegistryTiming } from './settings.ts';
import { TransientError } from './transient.ts';

/**
 * The chunks of a body as they arrive. Only the time spent waiting for the network counts as a stall: a slow
 * reader does not. Ends the connection when the reader stops early. Throws a TransientError on a stall or a
 * broken connection; a body shorter than its Content-Length counts as broken.
 */
export async function* readBody(response: HttpResponse, timing: RegistryTiming): AsyncGenerator<Buffer> {
  const chunks = response.body[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const stall = new StallClock(timing);
  try {
    for (;;) {
      const next = await stall.watch(chunks.next(), response);
      if (next.done) return;
      stall.progress(next.value.length);
      yield next.value;
    }
  } finally {
    discard(response);
  }
}

/** The whole of a small body. Throws REGISTRY_ERROR when it is longer than `limit` bytes. */
export async function readAll(
  response: HttpResponse,
  limit: number,
  what: string,
  timing: RegistryTiming,
): Promise<Buffer> {
  const declared = Number(response.headers['content-length'] ?? 0);
  const parts: Buffer[] = [];
  let total = 0;
  if (declared <= limit) {
    for await (const chunk of readBody(response, timing)) {
      total += chunk.length;
      if (total > limit) break;
      parts.push(chunk);
    }
  }
  if (declared <= limit && total <= limit) return Buffer.concat(parts);
  discard(response);
  throw new HrunError('REGISTRY_ERROR', `${response.url.host} sent more than ${limit} bytes as ${what}`);
}

/** Adds up the time waited since the last `minProgressBytes`, so that a slow drip is a stall as well. */
class StallClock {
  readonly #timing: RegistryTiming;
  #waitedMs = 0;
  #bytes = 0;

  constructor(timing: RegistryTiming) {
    this.#timing = timing;
  }

  progress(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < this.#timing.minProgressBytes) return;
    this.#bytes = 0;
    this.#waitedMs = 0;
  }

  async watch<T>(wait: Promise<T>, response: HttpResponse): Promise<T> {
    const started = performance.now();
    const { promise: stalled, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(this.#error(response)), this.#timing.stallMs - this.#waitedMs);
    try {
      return await Promise.race([wait, stalled]);
    } catch (error) {
      wait.catch(() => {});
      throw error instanceof HrunError ? error : brokenBody(error, response);
    } finally {
      clearTimeout(timer);
      this.#waitedMs += performance.now() - started;
    }
  }

  #error(response: HttpResponse): TransientError {
    const seconds = Math.round(this.#timing.stallMs / 1000);
    return new TransientError(
      'REGISTRY_UNREACHABLE',
      `${response.url.host} sent next to nothing for ${seconds} s`,
    );
  }
}

function brokenBody(error: unknown, response: HttpResponse): unknown {
  const code = errnoOf(error);
  if (code === 'ABORT_ERR') return error;
  return new TransientError(
    'REGISTRY_UNREACHABLE',
    `${response.url.host} broke off in the middle (${code ?? error})`,
    {
      cause: error,
    },
  );
}
