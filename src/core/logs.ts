// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import { untilGone } from './end-container.ts';
import { type LogEntry, type LogRange, logEntries } from './log-entries.ts';
import { isRunning, openContainer } from './open-container.ts';

export type { LogEntry, LogRange };

/** What a container has written; with `follow` until it ends. UNSUPPORTED when it keeps no log. */
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
    void untilGone(directory).finally(() => ended.abort());
    yield* logEntries(directory, range, ended.signal);
  } else {
    yield* logEntries(directory, range);
  }
}
