// SPDX-License-Identifier: Apache-2.0
import { rootFromEnvironment } from '../../base/root.ts';
import { shortId } from '../../container/index.ts';
import { listTemplates, type Template } from '../../vm/index.ts';
import { defineCommand } from '../command.ts';
import { type Columns, formatList } from '../output/format.ts';
import { formatAge, formatBinarySize, formatSize } from '../output/units.ts';

interface LsOptions {
  format?: string;
  quiet?: true;
}

/** A row as `--format` sees it. */
interface Shown {
  ID: string;
  Engine: string;
  Memory: string;
  CPUs: string;
  NIC: string;
  Current: string;
  CreatedSince: string;
  Size: string;
}

const MIB = 1024 * 1024;

export const command = defineCommand<LsOptions, Template[]>({
  name: 'template ls',
  configure: (command) =>
    command
      .description('List the machines that containers start from.')
      .option('--format <format>', 'table, json, or a Go template')
      .option('-q, --quiet', 'only their IDs'),
  run: async () => listTemplates(rootFromEnvironment()),
  print(templates, output, { format, quiet }) {
    if (quiet) output.write(templates.map(({ id }) => `${id}\n`).join(''));
    else output.write(formatList(templates.map(shown), COLUMNS, format));
    return undefined;
  },
});

const COLUMNS: Columns<Shown> = {
  ID: 'ID',
  ENGINE: 'Engine',
  MEMORY: 'Memory',
  CPUS: 'CPUs',
  NIC: 'NIC',
  CURRENT: 'Current',
  CREATED: 'CreatedSince',
  SIZE: 'Size',
};

function shown({ id, inputs, current, created, size }: Template): Shown {
  return {
    ID: shortId(id),
    Engine: inputs.engine.engine,
    Memory: formatBinarySize(inputs.memoryMiB * MIB),
    CPUs: String(inputs.vcpus),
    NIC: inputs.nic ? 'yes' : 'no',
    Current: current ? 'yes' : 'no',
    CreatedSince: formatAge(Date.parse(created)),
    Size: formatSize(size),
  };
}
