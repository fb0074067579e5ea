// SPDX-License-Identifier: Apache-2.0
import { rootFromEnvironment } from '../../base/root.ts';
import { removeVolumeCalled } from '../../core/volumes.ts';
import { defineCommand } from '../command.ts';
import { eachOperand } from '../each-operand.ts';

interface RmOptions {
  force?: true;
}

export const command = defineCommand<RmOptions, number>({
  name: 'volume rm',
  configure: (command) =>
    command
      .description('Remove volumes that no container has, with all that they hold.')
      .argument('<volume...>', 'names')
      .option('-f, --force', 'a volume that is not there is fine'),
  run: (names, { force }, output) =>
    eachOperand(names, output, async (name) => {
      await removeVolumeCalled(rootFromEnvironment(), name, { force: force === true });
      return name;
    }),
  print: (exitCode) => exitCode,
});
