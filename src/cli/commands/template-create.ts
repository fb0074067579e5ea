// SPDX-License-Identifier: Apache-2.0
import { rootFromEnvironment } from '../../base/root.ts';
import { createTemplate } from '../../core/templates.ts';
import { defineCommand } from '../command.ts';
import { parseBytes, parseCpus } from '../options/quantity.ts';

interface CreateOptions {
  cpus?: string;
  memory?: string;
  wait: boolean;
}

export const command = defineCommand<CreateOptions, string | undefined>({
  name: 'template create',
  configure: (command) =>
    command
      .description('Boot a machine that containers of its size start from, and print its ID.')
      .option('-m, --memory <bytes>', 'memory of the VM, as for run (default: 1g)')
      .option('--cpus <number>', 'CPUs of the VM, as for run (default: 1)')
      .option('--no-wait', 'leave it to whoever makes it already'),
  run: async (_operands, { cpus, memory, wait }) =>
    await createTemplate(
      rootFromEnvironment(),
      {
        memory: memory === undefined ? undefined : parseBytes(memory, '--memory'),
        cpus: cpus === undefined ? undefined : parseCpus(cpus),
      },
      { wait },
    ),
  print(id, output) {
    if (id !== undefined) output.line(id);
    return undefined;
  },
});
