// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../../base/errors.ts';
import { rootFromEnvironment } from '../../base/root.ts';
import { createNamedVolume } from '../../core/volumes.ts';
import { defineCommand } from '../command.ts';
import { collect } from '../option.ts';
import { parseLabels, parseOptions } from '../options/key-value.ts';

interface CreateOptions {
  driver: string;
  label: string[];
  name?: string;
  opt: string[];
}

export const command = defineCommand<CreateOptions, string>({
  name: 'volume create',
  configure: (command) =>
    command
      .description('Make a volume, and print its name.')
      .argument('[name]', 'its name; without one a random one')
      .option('-d, --driver <driver>', 'there is only local', 'local')
      .option('--label <key[=value]>', 'set a label', collect, [])
      .option('--name <name>', 'the same as the operand')
      .option(
        '-o, --opt <key=value>',
        'size=10g: an ext4 disk of that size, for one container at a time',
        collect,
        [],
      )
      .addHelpText('after', '\nExample:\n  hrun volume create -o size=20g pgdata'),
  async run([operand], { driver, label, name, opt }) {
    if (driver !== 'local')
      throw new HrunError('USAGE', `there is no volume driver "${driver}"`, { hint: 'use local' });
    return await createNamedVolume(rootFromEnvironment(), {
      name: operand ?? name,
      labels: parseLabels(label),
      options: parseOptions(
        opt.flatMap((text) => text.split(',')),
        '--opt',
      ),
    });
  },
  print(name, output) {
    output.line(name);
    return undefined;
  },
});
