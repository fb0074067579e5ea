// SPDX-License-Identifier: Apache-2.0
import { rootFromEnvironment } from '../../base/root.ts';
import { createTemplate } from '../../core/templates.ts';
import type { EngineName } from '../../vm/index.ts';
import { defineCommand } from '../command.ts';
import { engineOption } from '../options/engine.ts';
import { parseMachineSize } from '../options/quantity.ts';

interface CreateOptions {
  engine: EngineName;
  cpus?: string;
  memory?: string;
  wait: boolean;
}

export const command = defineCommand<CreateOptions, string | undefined>({
  name: 'template create',
  configure: (command) =>
    command
      .description('Boot a machine that containers of its size start from, and print its ID.')
      .addOption(engineOption())
      .option('-m, --memory <bytes>', 'memory of the VM, as for run (default: 1g)')
      .option('--cpus <number>', 'CPUs of the VM, as for run (default: 1)')
      .option('--no-wait', 'leave it to whoever makes it already'),
  run: async (_operands, { engine, cpus, memory, wait }) =>
    await createTemplate(rootFromEnvironment(), { engine, ...parseMachineSize({ cpus, memory }) }, { wait }),
  print(id, output) {
    if (id !== undefined) output.line(id);
    return undefined;
  },
});
