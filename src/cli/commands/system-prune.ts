// SPDX-License-Identifier: Apache-2.0
import { rootFromEnvironment } from '../../base/root.ts';
import { type Pruned, pruneContainers, pruneImages } from '../../core/prune.ts';
import { pruneVolumes } from '../../core/volumes.ts';
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
  volumes?: true;
}

interface SystemPruned {
  containers: Pruned;
  images: Pruned;
  volumes: Pruned;
}

const NOTHING: Pruned = { removed: [], reclaimed: 0 };

export const command = defineCommand<SystemPruneFlags, SystemPruned | undefined>({
  name: 'system prune',
  configure: (command) => {
    command
      .description('Remove containers that do not run, and images that nothing needs.')
      .option('-a, --all', 'also images with a name that no container needs')
      .option('--volumes', 'also volumes without a name that no container has');
    declarePruneOptions(command);
  },
  async run(_operands, flags) {
    const root = rootFromEnvironment();
    const filters = parsePruneFilters(flags.filter);
    const all = flags.all === true;
    const images = all ? 'all images that no container needs' : 'all dangling images';
    const what = `all stopped containers and ${images}${flags.volumes ? ', and all anonymous volumes that no container has' : ''}`;
    if (!(await mayPrune(what, flags))) return undefined;
    const containers = await pruneContainers(root, filters);
    const volumes = flags.volumes ? await pruneVolumes(root, filters, { all: false }) : NOTHING;
    return { containers, volumes, images: await pruneImages(root, filters, { all }) };
  },
  print(pruned, output) {
    if (!pruned) return undefined;
    printPruned('Deleted Containers', pruned.containers, output);
    printPruned('Deleted Images', pruned.images, output);
    printPruned('Deleted Volumes', pruned.volumes, output);
    printReclaimed(pruned.containers.reclaimed + pruned.images.reclaimed + pruned.volumes.reclaimed, output);
    return undefined;
  },
});
