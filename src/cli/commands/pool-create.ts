// SPDX-License-Identifier: Apache-2.0
import { Option } from 'commander';
import { HrunError } from '../../base/errors.ts';
import { rootFromEnvironment } from '../../base/root.ts';
import { createPool, fillPool, machineSize } from '../../core/pools.ts';
import { templatePolicy } from '../../core/templates.ts';
import type { EngineName } from '../../vm/index.ts';
import { defineCommand } from '../command.ts';
import { engineOption } from '../options/engine.ts';
import { parseMachineSize } from '../options/quantity.ts';

interface CreateOptions {
  engine: EngineName;
  cpus?: string;
  memory?: string;
  size: string;
  refill?: true;
}

const MOST_MACHINES = 64;

export const command = defineCommand<CreateOptions, string | undefined>({
  name: 'pool create',
  configure: (command) =>
    command
      .description(
        'Have machines wait, started, for containers of their size. Sets how many when there are some already.',
      )
      .addOption(engineOption())
      .option('-m, --memory <bytes>', 'memory of a VM, as for run (default: 1g)')
      .option('--cpus <number>', 'CPUs of a VM, as for run (default: 1)')
      .option('--size <number>', `how many are to wait, 1 to ${MOST_MACHINES}`, '2')
      .addOption(new Option('--refill', 'only make what the pool lacks').hideHelp()),
  run: async (_operands, { engine, cpus, memory, size, refill }) => {
    const root = rootFromEnvironment();
    const machine = machineSize(parseMachineSize({ cpus, memory }));
    if (refill) {
      await fillPool(root, machine, { wait: false });
      return undefined;
    }
    if (templatePolicy() === 'off')
      throw new HrunError('USAGE', 'HRUN_TEMPLATES=off: no container would start in a machine that waits', {
        hint: 'unset it',
      });
    const { waiting } = await createPool(root, machine, { engine, wanted: parseSize(size) });
    return String(waiting);
  },
  print(waiting, output) {
    if (waiting !== undefined) output.line(waiting);
    return undefined;
  },
});

function parseSize(text: string): number {
  const number = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= MOST_MACHINES) return number;
  throw new HrunError('USAGE', `--size ${JSON.stringify(text)} is not a number from 1 to ${MOST_MACHINES}`, {
    hint: 'hrun pool rm ends all of them',
  });
}
