// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import { untilGone } from './end-container.ts';
import { exactTime, type LogEntry, type LogRange, logEntries } from './log-entries.ts';
import { isRunning, openContainer } from './open-container.ts';

export type { LogEntry, LogRange };
export { exactTime };

/** As long as a timer can be: 24 days. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** What a container has written; with `follow` until it ends, or the range does. UNSUPPORTED when it keeps no log. */
export async function* containerLogs(
  root: Root,
  text: string,
  range: LogRange,
  follow: boolean,
): AsyncGenerator<LogEntry[]> {
  const { directory, config, state } = await openContainer(root, text);
  if (config.host.log.driver === 'none') {
    throw new HrunError('UNSUPPORTED', `container ${text} keeps no log`, {
      hint: 'it was made with --log-driver none',
    });
  }
  const ended = new AbortController();
  if (follow && (isRunning(state) || state.status === 'starting' || state.status === 'restarting')) {
    const read = new AbortController();
    void untilGone(directory, (session) => {
      if (read.signal.aborted) session.close();
      read.signal.addEventListener('abort', () => session.close());
    }).finally(() => ended.abort());
    try {
      yield* logEntries(directory, range, AbortSignal.any([ended.signal, ...timeUp(range)]));
    } finally {
      read.abort();
    }
  } else {
    yield* logEntries(directory, range);
  }
}

/** What nobody waits for any more once a range with an end is over. */
function timeUp({ until }: LogRange): AbortSignal[] {
  if (until === undefined) return [];
  const left = Date.parse(until) - Date.now();
  return [AbortSignal.timeout(Math.max(0, Math.min(left, MAX_TIMER_MS)))];
}
