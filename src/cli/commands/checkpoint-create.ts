// SPDX-License-Identifier: Apache-2.0
import { rootFromEnvironment } from '../../base/root.ts';
import { createCheckpoint } from '../../core/checkpoints.ts';
import { defineCommand } from '../command.ts';

interface CreateOptions {
  checkpointDir?: string;
  leaveRunning?: true;
}

export const command = defineCommand<CreateOptions, string>({
  name: 'checkpoint create',
  configure: (command) =>
    command
      .description('Save a running container, its memory and its disk, and end it.')
      .argument('<container>', 'name or ID')
      .argument('<checkpoint>', 'name of the checkpoint')
      .option('--checkpoint-dir <directory>', 'where to put it, instead of with the container')
      .option('--leave-running', 'let the container go on'),
  async run([container, checkpoint], { leaveRunning, checkpointDir }) {
    await createCheckpoint(rootFromEnvironment(), container!, checkpoint!, {
      leaveRunning: leaveRunning === true,
      checkpointDir,
    });
    return checkpoint!;
  },
  print(checkpoint, output) {
    output.line(checkpoint);
    return undefined;
  },
});
