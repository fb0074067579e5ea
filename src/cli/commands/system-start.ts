// SPDX-License-Identifier: Apache-2.0
import { availableParallelism } from 'node:os';
import { rootFromEnvironment } from '../../base/root.ts';
import { containersToStart } from '../../core/host-boot.ts';
import { startInBackground } from '../../core/start-container.ts';
import { defineCommand } from '../command.ts';
import { eachOperand } from '../each-operand.ts';

/** A boot keeps one CPU busy: many at once would only make each slower, up to its time limit. */
const AT_ONCE = 2 * availableParallelism();

export const command = defineCommand<object, number>({
  name: 'system start',
  configure: (command) =>
    command.description(
      'Start the containers that are to run after a boot of the host: those with --restart always, and those with --restart unless-stopped that nobody has stopped.',
    ),
  async run(_operands, _options, output) {
    const root = rootFromEnvironment();
    const names = await containersToStart(root);
    return await eachOperand(names, output, (name) => startInBackground(root, name), AT_ONCE);
  },
  print: (exitCode) => exitCode,
});
