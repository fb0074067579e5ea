// SPDX-License-Identifier: Apache-2.0
import { Option } from 'commander';
import { rootFromEnvironment } from '../../base/root.ts';
import { commitContainer } from '../../core/commit.ts';
import { defineCommand } from '../command.ts';
import { collect } from '../option.ts';

/** As Go's flags are turned off: Docker's spelling. */
const GO_FALSE = '--pause=false';
const GO_FALSE_KEY = 'pause=false';

interface CommitFlags {
  author: string;
  change: string[];
  message: string;
  pause?: boolean;
  [GO_FALSE_KEY]?: true;
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
      .option('-p, --pause', 'let the processes stand still meanwhile (default)')
      .option('--no-pause', 'let them go on')
      .addOption(new Option(GO_FALSE).hideHelp())
      .addHelpText('after', EXAMPLES),
  run([container, name], { author, message, change: changes, ...flags }) {
    const pause = flags.pause !== false && !flags[GO_FALSE_KEY];
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
