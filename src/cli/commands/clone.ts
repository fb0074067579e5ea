// SPDX-License-Identifier: Apache-2.0
import { rootFromEnvironment } from '../../base/root.ts';
import { cloneContainer } from '../../core/clone-container.ts';
import { defineCommand } from '../command.ts';

export const command = defineCommand<object, string>({
  name: 'clone',
  configure: (command) =>
    command
      .description('Make a second container that goes on from where a running one is, and print its ID.')
      .argument('<container>', 'name or ID')
      .argument('[new-name]', 'name of the second one'),
  run: ([container, name]) => cloneContainer(rootFromEnvironment(), container!, name),
  print(id, output) {
    output.line(id);
    return undefined;
  },
});
