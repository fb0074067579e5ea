// SPDX-License-Identifier: Apache-2.0
import { Option } from 'commander';
import { rootFromEnvironment } from '../../base/root.ts';
import { recordContainer } from '../../container/index.ts';
import { stopContainer } from '../../core/end-container.ts';
import { startDetached } from '../../core/run.ts';
import { openToStart } from '../../core/start-container.ts';
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
  name: 'restart',
  configure: (command) =>
    command
      .description('End containers and start them again.')
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
      const root = rootFromEnvironment();
      await stopContainer(root, text, { signal, timeout: timeout ?? time });
      const container = await openToStart(root, text);
      if (container === 'running') return text;
      await startDetached(root, container);
      recordContainer(root, container.config, 'restart');
      return text;
    }),
  print: (exitCode) => exitCode,
});
