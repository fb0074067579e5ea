// SPDX-License-Identifier: Apache-2.0
// How `stop` and `restart` end a container.
import { type Command, Option } from 'commander';
import { parseTimeout } from './quantity.ts';

export interface StopOptions {
  signal?: string;
  /** seconds */
  timeout?: number;
  /** what Docker called it before */
  time?: number;
}

export function stopOptions(command: Command): Command {
  return command
    .option('-s, --signal <signal>', "instead of the container's own stop signal")
    .option(
      '-t, --timeout <seconds>',
      'time from that signal to SIGKILL; -1 for ever (default: 10)',
      (text) => parseTimeout(text, '--timeout'),
    )
    .addOption(new Option('--time <seconds>').hideHelp().argParser((text) => parseTimeout(text, '--time')));
}
