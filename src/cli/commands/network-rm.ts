// SPDX-License-Identifier: Apache-2.0
import { rootFromEnvironment } from '../../base/root.ts';
import { removeNetworkCalled } from '../../core/networks.ts';
import { defineCommand } from '../command.ts';
import { eachOperand } from '../each-operand.ts';

interface RmOptions {
  force?: true;
}

export const command = defineCommand<RmOptions, number>({
  name: 'network rm',
  configure: (command) =>
    command
      .description('Remove networks that no container has.')
      .argument('<network...>', 'names or IDs')
      .option('-f, --force', 'a network that is not there is fine'),
  run: (names, { force }, output) =>
    eachOperand(names, output, async (name) => {
      await removeNetworkCalled(rootFromEnvironment(), name, { force: force === true });
      return name;
    }),
  print: (exitCode) => exitCode,
});
