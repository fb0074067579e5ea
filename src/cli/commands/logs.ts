// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../../base/errors.ts';
import { rootFromEnvironment } from '../../base/root.ts';
import { containerLogs, exactTime, type LogEntry, type LogRange } from '../../core/logs.ts';
import { defineCommand } from '../command.ts';
import { parseTime } from '../options/time.ts';
import type { Output } from '../output/index.ts';

interface LogsOptions {
  details?: true;
  follow?: true;
  since?: string;
  tail: string;
  timestamps?: true;
  until?: string;
}

export const command = defineCommand<LogsOptions, void>({
  name: 'logs',
  configure: (command) =>
    command
      .description('Show what a container has written on its standard output and error.')
      .argument('<container>', 'name or ID')
      .option('--details', 'with what --log-opt labels= and env= have put into each line')
      .option('-f, --follow', 'go on until it ends')
      .option('--since <time>', 'only what came later: 10m, 2024-05-06T07:08:09Z, seconds since 1970')
      .option('-n, --tail <lines>', 'only so many lines at the end', 'all')
      .option('-t, --timestamps', 'show when each line was written')
      .option('--until <time>', 'only what came before'),
  async run([container], options, output) {
    const follow = options.follow === true;
    for await (const entries of containerLogs(rootFromEnvironment(), container!, rangeOf(options), follow)) {
      show(entries, options, output);
    }
  },
  print: () => undefined,
});

function rangeOf({ tail, since, until }: LogsOptions): LogRange {
  if (tail !== 'all' && !/^-?\d{1,15}$/.test(tail)) {
    throw new HrunError('USAGE', `--tail ${JSON.stringify(tail)} is not a number`, {
      hint: 'use a number, or all',
    });
  }
  return {
    tail: tail === 'all' || tail.startsWith('-') ? undefined : Number(tail),
    since: since === undefined ? undefined : parseTime(since, '--since'),
    until: until === undefined ? undefined : parseTime(until, '--until'),
  };
}

/** As it was written, on the streams that it was written to: neighbours on one stream in one go. */
function show(entries: readonly LogEntry[], options: LogsOptions, output: Output): void {
  for (let at = 0; at < entries.length; ) {
    const { stream } = entries[at]!;
    let text = '';
    for (; entries[at]?.stream === stream; at++) text += line(entries[at]!, options);
    if (stream === 'stderr') output.progress(text);
    else output.write(text);
  }
}

/** As Docker's: time, attributes, text. */
function line({ time, text, attributes }: LogEntry, { timestamps, details }: LogsOptions): string {
  return (timestamps ? `${exactTime(time)} ` : '') + (details ? `${detailsOf(attributes)} ` : '') + text;
}

/** In the order of their names. */
function detailsOf(attributes: LogEntry['attributes']): string {
  const pairs = Object.entries(attributes).map((pair) => pair.map(escaped).join('='));
  return pairs.sort().join(',');
}

/** As Go's url.QueryEscape. */
function escaped(text: string): string {
  const code = (character: string) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
  return encodeURIComponent(text)
    .replaceAll('%20', '+')
    .replace(/[!*'()]/g, code);
}
