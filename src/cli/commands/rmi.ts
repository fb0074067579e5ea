// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../../base/errors.ts';
import { rootFromEnvironment } from '../../base/root.ts';
import { removeImages } from '../../core/remove-image.ts';
import { defineCommand } from '../command.ts';
import { describeError } from '../output/index.ts';

interface RmiOptions {
  force?: boolean;
}

export const command = defineCommand<RmiOptions, number>({
  name: 'rmi',
  configure: (command) =>
    command
      .description('Remove images: a name is taken away, and the image goes with its last name.')
      .argument('<image...>', 'names or IDs')
      .option('-f, --force', 'remove it though it has several names or a stopped container needs it'),
  async run(images, { force }, output) {
    let failures = 0;
    await removeImages(rootFromEnvironment(), images, {
      force: force === true,
      done: (removal) =>
        output.line(removal.kind === 'untagged' ? `Untagged: ${removal.name}` : `Deleted: ${removal.id}`),
      failed(error) {
        if (!(error instanceof HrunError)) throw error;
        failures += 1;
        output.notice(describeError(error, false));
      },
    });
    return failures;
  },
  print: (failures) => (failures > 0 ? 1 : undefined),
});
