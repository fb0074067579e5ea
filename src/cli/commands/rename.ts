// SPDX-License-Identifier: Apache-2.0
import { rootFromEnvironment } from '../../base/root.ts';
import { renameContainer } from '../../core/rename-container.ts';
import { defineCommand } from '../command.ts';

export const command = defineCommand<object, void>({
  name: 'rename',
  configure: (command) =>
    command
      .description('Give a container another name.')
      .argument('<container>', 'name or ID')
      .argument('<name>', 'the new name'),
  run: ([container, name]) => renameContainer(rootFromEnvironment(), container!, name!),
  print: () => undefined,
});
