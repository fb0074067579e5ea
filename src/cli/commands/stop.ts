// SPDX-License-Identifier: Apache-2.0
import { Option } from 'commander';
import { rootFromEnvironment } from '../../base/root.ts';
import { stopContainer } from '../../core/end-container.ts';
import { defineCommand } from '../command.ts';
import { eachOperand } from '../each-operand.ts';
import { parseTimeout } from '../options/quantity.ts';

interface Options {
  signal?: string;
  timeout?: number;
  /** what Docker called it before */
  time?: number;
}

export const command = defineCommand<Options, number>({
  name: 'stop',
  configure: (command) =>
    command
      .description('End containers: their stop signal, and SIGKILL if that does not help.')
      .argument('<container...>', 'names or IDs')
      .option('-s, --signal <signal>', "instead of the container's own stop signal")
      .option(
        '-t, --timeout <seconds>',
        'time from that signal to SIGKILL; -1 for ever (default: 10)',
        (text) => parseTimeout(text, '--timeout'),
      )
      .addOption(new Option('--time <seconds>').hideHelp().argParser((text) => parseTimeout(text, '--time'))),
  run: (operands, { signal, timeout, time }, output) =>
    eachOperand(operands, output, async (text) => {
      await stopContainer(rootFromEnvironment(), text, { signal, timeout: timeout ?? time });
      return text;
    }),
  print: (exitCode) => exitCode,
});
