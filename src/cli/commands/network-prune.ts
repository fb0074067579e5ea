// SPDX-License-Identifier: Apache-2.0
import { rootFromEnvironment } from '../../base/root.ts';
import { pruneNetworks } from '../../core/networks.ts';
import { defineCommand } from '../command.ts';
import {
  declarePruneOptions,
  mayPrune,
  type PruneFlags,
  parsePruneFilters,
  printPruned,
} from '../options/prune.ts';

export const command = defineCommand<PruneFlags, string[] | undefined>({
  name: 'network prune',
  configure: (command) => {
    command.description('Remove networks that no container has.');
    declarePruneOptions(command);
  },
  async run(_operands, flags) {
    const filters = parsePruneFilters(flags.filter);
    if (!(await mayPrune('all custom networks not used by at least one container', flags))) return undefined;
    return await pruneNetworks(rootFromEnvironment(), filters);
  },
  print(removed, output) {
    if (removed) printPruned('Deleted Networks', { removed, reclaimed: 0 }, output);
    return undefined;
  },
});
