// SPDX-License-Identifier: Apache-2.0
import { rootFromEnvironment } from '../../base/root.ts';
import { type Pruned, pruneImages } from '../../core/prune.ts';
import { defineCommand } from '../command.ts';
import {
  declarePruneOptions,
  mayPrune,
  type PruneFlags,
  parsePruneFilters,
  printOutcome,
} from '../options/prune.ts';

interface ImagePruneFlags extends PruneFlags {
  all?: true;
}

export const command = defineCommand<ImagePruneFlags, Pruned | undefined>({
  name: 'image prune',
  configure: (command) => {
    command
      .description('Remove images that have no name.')
      .option('-a, --all', 'also those with a name that no container needs');
    declarePruneOptions(command);
  },
  async run(_operands, flags) {
    const filters = parsePruneFilters(flags.filter);
    const all = flags.all === true;
    const what = all ? 'all images without at least one container associated to them' : 'all dangling images';
    if (!(await mayPrune(what, flags))) return undefined;
    return await pruneImages(rootFromEnvironment(), filters, { all });
  },
  print(pruned, output) {
    if (pruned) printOutcome('Deleted Images', pruned, output);
    return undefined;
  },
});
