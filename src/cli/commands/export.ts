// SPDX-License-Identifier: Apache-2.0
import { isatty } from 'node:tty';
import { HrunError } from '../../base/errors.ts';
import { rootFromEnvironment } from '../../base/root.ts';
import { exportContainer, exportContainerTo } from '../../core/export.ts';
import { defineCommand } from '../command.ts';

export const command = defineCommand<{ output?: string }, void>({
  name: 'export',
  configure: (command) =>
    command
      .description("Export a container's files, running or not, as one tar archive.")
      .argument('<container>', 'name or ID')
      .option('-o, --output <file>', 'a file instead of standard output')
      .addHelpText(
        'after',
        '\nExamples:\n  hrun export -o web.tar web\n  hrun export web | hrun import - web:flat',
      ),
  async run([container], { output: path }, output) {
    const root = rootFromEnvironment();
    if (path !== undefined) return await exportContainerTo(root, container!, path);
    if (isatty(1)) {
      throw new HrunError('USAGE', 'an archive is not for a terminal', {
        hint: 'use -o FILE or redirect standard output',
      });
    }
    await exportContainer(root, container!, (bytes) => output.write(bytes));
  },
  print: () => undefined,
});
