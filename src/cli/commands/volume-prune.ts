// SPDX-License-Identifier: Apache-2.0
import { rootFromEnvironment } from '../../base/root.ts';
import type { Pruned } from '../../core/prune.ts';
import { pruneVolumes } from '../../core/volumes.ts';
import { defineCommand } from '../command.ts';
import {
  declarePruneOptions,
  mayPrune,
  type PruneFlags,
  parsePruneFilters,
  printOutcome,
} from '../options/prune.ts';

interface VolumePruneFlags extends PruneFlags {
  all?: true;
}

export const command = defineCommand<VolumePruneFlags, Pruned | undefined>({
  name: 'volume prune',
  configure: (command) => {
    command
      .description('Remove volumes without a name that no container has.')
      .option('-a, --all', 'also those with a name');
    declarePruneOptions(command);
  },
  async run(_operands, flags) {
    const filters = parsePruneFilters(flags.filter);
    const all = flags.all === true;
    const what = `${all ? 'all' : 'anonymous'} local volumes not used by at least one container`;
    if (!(await mayPrune(what, flags))) return undefined;
    return await pruneVolumes(rootFromEnvironment(), filters, { all });
  },
  print(pruned, output) {
    if (pruned) printOutcome('Deleted Volumes', pruned, output);
    return undefined;
  },
});
