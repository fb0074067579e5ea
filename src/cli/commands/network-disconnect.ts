// SPDX-License-Identifier: Apache-2.0
import { rootFromEnvironment } from '../../base/root.ts';
import { disconnectNetwork } from '../../core/connect-network.ts';
import { defineCommand } from '../command.ts';

interface DisconnectOptions {
  force?: true;
}

export const command = defineCommand<DisconnectOptions, void>({
  name: 'network disconnect',
  configure: (command) =>
    command
      .description('Take a container out of a network, at once if it runs.')
      .argument('<network>', 'name or ID')
      .argument('<container>', 'name or ID')
      .option('-f, --force', 'although its guest does not let go of the interface'),
  run: ([network, container], { force }) =>
    disconnectNetwork(rootFromEnvironment(), {
      ...{ network: network!, container: container!, force: force === true },
    }),
  print: () => undefined,
});
