// SPDX-License-Identifier: Apache-2.0
import { rootFromEnvironment } from '../../base/root.ts';
import { killContainer } from '../../core/end-container.ts';
import { defineCommand } from '../command.ts';
import { eachOperand } from '../each-operand.ts';

interface Options {
  signal: string;
}

export const command = defineCommand<Options, number>({
  name: 'kill',
  configure: (command) =>
    command
      .description('Send a signal to the processes of running containers.')
      .argument('<container...>', 'names or IDs')
      .option('-s, --signal <signal>', 'name or number of the signal', 'SIGKILL'),
  run: (operands, options, output) =>
    eachOperand(operands, output, async (text) => {
      await killContainer(rootFromEnvironment(), text, options.signal);
      return text;
    }),
  print: (exitCode) => exitCode,
});
