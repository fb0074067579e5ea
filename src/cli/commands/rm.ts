// SPDX-License-Identifier: Apache-2.0
import { HrunError, hasCode } from '../../base/errors.ts';
import { rootFromEnvironment } from '../../base/root.ts';
import { removeContainerCalled } from '../../core/remove-container.ts';
import { defineCommand } from '../command.ts';
import { describeError } from '../output/index.ts';

interface RmOptions {
  force?: true;
  volumes?: true;
}

export const command = defineCommand<RmOptions, number>({
  name: 'rm',
  configure: (command) =>
    command
      .description('Remove containers, with everything they wrote.')
      .argument('<container...>', 'names or IDs')
      .option('-f, --force', 'end a running one first, by SIGKILL; one that is not there is no failure')
      .option('-v, --volumes', 'also its volumes that have no name'),
  async run(containers, { force, volumes }, output) {
    let failures = 0;
    for (const text of containers) {
      try {
        await removeContainerCalled(rootFromEnvironment(), text, {
          force: force === true,
          volumes: volumes === true,
        });
        output.line(text);
      } catch (error) {
        if (!(error instanceof HrunError)) throw error;
        if (!force || !hasCode(error, 'NO_SUCH_CONTAINER')) failures += 1;
        output.notice(describeError(error, false));
      }
    }
    return failures;
  },
  print: (failures) => (failures > 0 ? 1 : undefined),
});
