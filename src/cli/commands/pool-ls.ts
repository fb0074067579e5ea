// SPDX-License-Identifier: Apache-2.0
import { rootFromEnvironment } from '../../base/root.ts';
import { type PoolState, poolStates } from '../../core/pools.ts';
import { defineCommand } from '../command.ts';
import { type Columns, formatList } from '../output/format.ts';
import { formatBinarySize } from '../output/units.ts';

/** A row as `--format` sees it. */
interface Shown {
  Engine: string;
  Memory: string;
  CPUs: string;
  Size: string;
  Waiting: string;
  Usage: string;
}

const MIB = 1024 * 1024;

export const command = defineCommand<{ format?: string }, PoolState[]>({
  name: 'pool ls',
  configure: (command) =>
    command
      .description('List the pools of waiting machines, and what these use of the memory of the host.')
      .option('--format <format>', 'table, json, or a Go template'),
  run: async () => poolStates(rootFromEnvironment()),
  print(pools, output, { format }) {
    output.write(formatList(pools.map(shown), COLUMNS, format));
    return undefined;
  },
});

const COLUMNS: Columns<Shown> = {
  ENGINE: 'Engine',
  MEMORY: 'Memory',
  CPUS: 'CPUs',
  SIZE: 'Size',
  WAITING: 'Waiting',
  USAGE: 'Usage',
};

function shown({ engine, vcpus, memoryMiB, wanted, waiting, memory }: PoolState): Shown {
  return {
    Engine: engine,
    Memory: formatBinarySize(memoryMiB * MIB),
    CPUs: String(vcpus),
    Size: String(wanted),
    Waiting: String(waiting),
    Usage: formatBinarySize(memory),
  };
}
