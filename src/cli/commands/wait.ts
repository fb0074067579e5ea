// SPDX-License-Identifier: Apache-2.0
import { rootFromEnvironment } from '../../base/root.ts';
import { waitForContainer } from '../../core/end-container.ts';
import { defineCommand } from '../command.ts';
import { eachOperand } from '../each-operand.ts';

export const command = defineCommand<object, number>({
  name: 'wait',
  configure: (command) =>
    command
      .description('Wait until containers have ended, and print their exit codes.')
      .argument('<container...>', 'names or IDs'),
  run: (operands, _options, output) =>
    eachOperand(operands, output, async (text) => {
      return String(await waitForContainer(rootFromEnvironment(), text));
    }),
  print: (exitCode) => exitCode,
});
