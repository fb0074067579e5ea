// SPDX-License-Identifier: Apache-2.0
import { rootFromEnvironment } from '../../base/root.ts';
import { recordContainer } from '../../container/index.ts';
import { stopContainer } from '../../core/end-container.ts';
import { startDetached } from '../../core/run.ts';
import { openToStart } from '../../core/start-container.ts';
import { defineCommand } from '../command.ts';
import { eachOperand } from '../each-operand.ts';
import { type StopOptions, stopOptions } from '../options/stop.ts';

export const command = defineCommand<StopOptions, number>({
  name: 'restart',
  configure: (command) =>
    stopOptions(
      command.description('End containers and start them again.').argument('<container...>', 'names or IDs'),
    ),
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
