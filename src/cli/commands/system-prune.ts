// SPDX-License-Identifier: Apache-2.0
import { rootFromEnvironment } from '../../base/root.ts';
import { type Pruned, pruneContainers, pruneImages } from '../../core/prune.ts';
import { defineCommand } from '../command.ts';
import {
  declarePruneOptions,
  mayPrune,
  type PruneFlags,
  parsePruneFilters,
  printPruned,
  printReclaimed,
} from '../options/prune.ts';

interface SystemPruneFlags extends PruneFlags {
  all?: true;
}

interface SystemPruned {
  containers: Pruned;
  images: Pruned;
}

export const command = defineCommand<SystemPruneFlags, SystemPruned | undefined>({
  name: 'system prune',
  configure: (command) => {
    command
      .description('Remove containers that do not run, and images that nothing needs.')
      .option('-a, --all', 'also images with a name that no container needs');
    declarePruneOptions(command);
  },
  async run(_operands, flags) {
    const root = rootFromEnvironment();
    const filters = parsePruneFilters(flags.filter);
    const all = flags.all === true;
    const what = `all stopped containers and ${all ? 'all images that no container needs' : 'all dangling images'}`;
    if (!(await mayPrune(what, flags))) return undefined;
    const containers = await pruneContainers(root, filters);
    return { containers, images: await pruneImages(root, filters, { all }) };
  },
  print(pruned, output) {
    if (!pruned) return undefined;
    printPruned('Deleted Containers', pruned.containers, output);
    printPruned('Deleted Images', pruned.images, output);
    printReclaimed(pruned.containers.reclaimed + pruned.images.reclaimed, output);
    return undefined;
  },
});
