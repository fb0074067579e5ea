// SPDX-License-Identifier: Apache-2.0
import { rootFromEnvironment } from '../../base/root.ts';
import { removeCheckpointOf } from '../../core/checkpoints.ts';
import { defineCommand } from '../command.ts';

interface RmOptions {
  checkpointDir?: string;
}

export const command = defineCommand<RmOptions, void>({
  name: 'checkpoint rm',
  configure: (command) =>
    command
      .description('Remove a checkpoint of a container.')
      .argument('<container>', 'name or ID')
      .argument('<checkpoint>', 'its name')
      .option('--checkpoint-dir <directory>', 'where it is, instead of with the container'),
  run: ([container, checkpoint], where) =>
    removeCheckpointOf(rootFromEnvironment(), container!, checkpoint!, where),
  print: () => undefined,
});
