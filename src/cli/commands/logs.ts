// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../../base/errors.ts';
import { rootFromEnvironment } from '../../base/root.ts';
import { containerLogs, type LogEntry, type LogRange } from '../../core/logs.ts';
import { defineCommand } from '../command.ts';
import { parseTime } from '../options/time.ts';
import type { Output } from '../output/index.ts';

interface LogsOptions {
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
      .option('-f, --follow', 'go on until it ends')
      .option('--since <time>', 'only what came later: 10m, 2024-05-06T07:08:09Z, seconds since 1970')
      .option('-n, --tail <lines>', 'only so many lines at the end', 'all')
      .option('-t, --timestamps', 'show when each line was written')
      .option('--until <time>', 'only what came before'),
  async run([container], options, output) {
    const follow = options.follow === true;
    for await (const entries of containerLogs(rootFromEnvironment(), container!, rangeOf(options), follow)) {
      show(entries, options.timestamps === true, output);
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
function show(entries: readonly LogEntry[], timestamps: boolean, output: Output): void {
  for (let at = 0; at < entries.length; ) {
    const { stream } = entries[at]!;
    let text = '';
    for (; entries[at]?.stream === stream; at++) text += line(entries[at]!, timestamps);
    if (stream === 'stderr') output.progress(text);
    else output.write(text);
  }
}

function line({ time, text }: LogEntry, timestamps: boolean): string {
  return timestamps ? `${time} ${text}` : text;
}
