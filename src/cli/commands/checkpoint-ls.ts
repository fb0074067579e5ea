// SPDX-License-Identifier: Apache-2.0
import { rootFromEnvironment } from '../../base/root.ts';
import { checkpointsOf } from '../../core/checkpoints.ts';
import { defineCommand } from '../command.ts';
import { formatList } from '../output/format.ts';

interface LsOptions {
  checkpointDir?: string;
}

export const command = defineCommand<LsOptions, string[]>({
  name: 'checkpoint ls',
  configure: (command) =>
    command
      .description('List the checkpoints of a container.')
      .argument('<container>', 'name or ID')
      .option('--checkpoint-dir <directory>', 'where they are, instead of with the container'),
  run: ([container], where) => checkpointsOf(rootFromEnvironment(), container!, where),
  print(names, output) {
    output.write(
      formatList(
        names.map((Name) => ({ Name })),
        { 'CHECKPOINT NAME': 'Name' },
        undefined,
      ),
    );
    return undefined;
  },
});
