// SPDX-License-Identifier: Apache-2.0
import { rootFromEnvironment } from '../../base/root.ts';
import { type Pruned, pruneContainers } from '../../core/prune.ts';
import { defineCommand } from '../command.ts';
import {
  declarePruneOptions,
  mayPrune,
  type PruneFlags,
  parsePruneFilters,
  printOutcome,
} from '../options/prune.ts';

export const command = defineCommand<PruneFlags, Pruned | undefined>({
  name: 'container prune',
  configure: (command) => {
    declarePruneOptions(command.description('Remove all containers that do not run.'));
  },
  async run(_operands, flags) {
    const filters = parsePruneFilters(flags.filter);
    if (!(await mayPrune('all stopped containers', flags))) return undefined;
    return await pruneContainers(rootFromEnvironment(), filters);
  },
  print(pruned, output) {
    if (pruned) printOutcome('Deleted Containers', pruned, output);
    return undefined;
  },
});
