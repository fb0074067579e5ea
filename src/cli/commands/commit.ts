// SPDX-License-Identifier: Apache-2.0
import { rootFromEnvironment } from '../../base/root.ts';
import { commitContainer } from '../../core/commit.ts';
import { defineCommand } from '../command.ts';
import { collect } from '../option.ts';

interface CommitFlags {
  author: string;
  change: string[];
  message: string;
  pause?: boolean | 'true' | 'false';
}

export const command = defineCommand<CommitFlags, string>({
  name: 'commit',
  configure: (command) =>
    command
      .description("Make a new image of a container's files and configuration.")
      .argument('<container>', 'name or ID')
      .argument('[repository[:tag]]', 'name of the new image')
      .option('-a, --author <author>', 'for example "Ada <ada@example.org>"', '')
      .option('-c, --change <instruction>', 'apply a Dockerfile instruction to the image', collect, [])
      .option('-m, --message <text>', 'what was changed', '')
      .option('-p, --pause [bool]', 'let the processes stand still meanwhile (default: true)')
      .option('--no-pause', 'let them go on')
      .addHelpText('after', EXAMPLES),
  run([container, name], { author, message, change: changes, ...flags }) {
    const pause = flags.pause !== false && flags.pause !== 'false';
    return commitContainer(rootFromEnvironment(), container!, { name, author, message, changes, pause });
  },
  print(id, output) {
    output.line(id);
    return undefined;
  },
});

const EXAMPLES = `
Examples:
  hrun commit web web:patched
  hrun commit -m "with curl" -c 'CMD ["curl", "--version"]' build tools`;
