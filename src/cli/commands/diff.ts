// SPDX-License-Identifier: Apache-2.0
import { rootFromEnvironment } from '../../base/root.ts';
import { containerChanges, type FileChange } from '../../core/changes.ts';
import { defineCommand } from '../command.ts';

export const command = defineCommand<object, FileChange[]>({
  name: 'diff',
  configure: (command) =>
    command
      .description("Show what a container has changed in its image's files: A added, C changed, D deleted.")
      .argument('<container>', 'name or ID'),
  run: ([container]) => containerChanges(rootFromEnvironment(), container!),
  print(changes, output) {
    output.write(changes.map(({ kind, path }) => `${kind} ${path}\n`).join(''));
    return undefined;
  },
});
