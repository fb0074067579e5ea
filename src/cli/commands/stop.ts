// SPDX-License-Identifier: Apache-2.0
import { rootFromEnvironment } from '../../base/root.ts';
import { stopContainer } from '../../core/end-container.ts';
import { defineCommand } from '../command.ts';
import { eachOperand } from '../each-operand.ts';
import { type StopOptions, stopOptions } from '../options/stop.ts';

export const command = defineCommand<StopOptions, number>({
  name: 'stop',
  configure: (command) =>
    stopOptions(
      command
        .description('End containers: their stop signal, and SIGKILL if that does not help.')
        .argument('<container...>', 'names or IDs'),
    ),
  run: (operands, { signal, timeout, time }, output) =>
    eachOperand(operands, output, async (text) => {
      await stopContainer(rootFromEnvironment(), text, { signal, timeout: timeout ?? time });
      return text;
    }),
  print: (exitCode) => exitCode,
});
