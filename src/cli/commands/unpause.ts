// SPDX-License-Identifier: Apache-2.0
import { rootFromEnvironment } from '../../base/root.ts';
import { pauseContainer } from '../../core/end-container.ts';
import { defineCommand } from '../command.ts';
import { eachOperand } from '../each-operand.ts';

export const command = defineCommand<object, number>({
  name: 'unpause',
  configure: (command) =>
    command
      .description('Let the processes of paused containers go on.')
      .argument('<container...>', 'names or IDs'),
  run: (operands, _options, output) =>
    eachOperand(operands, output, async (text) => {
      await pauseContainer(rootFromEnvironment(), text, false);
      return text;
    }),
  print: (exitCode) => exitCode,
});
