// SPDX-License-Identifier: Apache-2.0
import { defineCommand } from '../command.ts';
import { command as inspect } from './inspect.ts';

interface InspectOptions {
  format?: string;
}

export const command = defineCommand<InspectOptions, Awaited<ReturnType<typeof inspect.run>>>({
  name: 'network inspect',
  configure: (command) =>
    command
      .description('Show everything about networks, as JSON.')
      .argument('<network...>', 'names or IDs')
      .option('-f, --format <template>', 'a Go template instead of JSON'),
  run: (names, options, output) => inspect.run(names, { ...options, type: 'network' }, output),
  print: (inspected, output, options) => inspect.print(inspected, output, options),
});
