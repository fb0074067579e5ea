// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../../base/errors.ts';
import { rootFromEnvironment } from '../../base/root.ts';
import { machineSize, poolStates, removePool } from '../../core/pools.ts';
import { defineCommand } from '../command.ts';
import { parseMachineSize } from '../options/quantity.ts';

interface RmOptions {
  all?: true;
  cpus?: string;
  memory?: string;
}

export const command = defineCommand<RmOptions, void>({
  name: 'pool rm',
  configure: (command) =>
    command
      .description('End the machines of a pool that wait, and keep it filled no more. Containers go on.')
      .option('-a, --all', 'of every pool')
      .option('-m, --memory <bytes>', 'of machines of this size (default: 1g)')
      .option('--cpus <number>', 'of machines of this size (default: 1)'),
  run: async (_operands, { all, cpus, memory }) => {
    const root = rootFromEnvironment();
    if (all && (cpus !== undefined || memory !== undefined))
      throw new HrunError('USAGE', '--all and the size of one pool contradict each other', {
        hint: 'leave one out',
      });
    const size = machineSize(parseMachineSize({ cpus, memory }));
    for (const pool of all ? poolStates(root) : [size]) await removePool(root, pool);
  },
  print: () => undefined,
});
