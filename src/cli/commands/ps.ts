// SPDX-License-Identifier: Apache-2.0
import { rootFromEnvironment } from '../../base/root.ts';
import { type ListedContainer, listContainers } from '../../core/list-containers.ts';
import { defineCommand } from '../command.ts';
import { formatTable } from '../output/table.ts';
import { formatAge } from '../output/units.ts';

interface PsOptions {
  all?: true;
  quiet?: true;
}

const HEADER = ['CONTAINER ID', 'IMAGE', 'COMMAND', 'CREATED', 'STATUS', 'NAMES'];
const SHORT_ID = 12;
const MAX_COMMAND = 20;

export const command = defineCommand<PsOptions, ListedContainer[]>({
  name: 'ps',
  configure: (command) =>
    command
      .description('List containers.')
      .option('-a, --all', 'also those that do not run')
      .option('-q, --quiet', 'only their IDs'),
  run: (_operands, { all }) => listContainers(rootFromEnvironment(), { all: all === true }),
  print(containers, output, { quiet }) {
    if (quiet) for (const { config } of containers) output.line(config.id.slice(0, SHORT_ID));
    else output.write(formatTable([HEADER, ...containers.map(row)]));
    return undefined;
  },
});

function row({ config, state }: ListedContainer): string[] {
  return [
    config.id.slice(0, SHORT_ID),
    config.image,
    JSON.stringify(shortened(config.process.args.join(' '))),
    formatAge(Date.parse(config.created)),
    statusOf(state),
    config.name,
  ];
}

function shortened(text: string): string {
  return text.length > MAX_COMMAND ? `${text.slice(0, MAX_COMMAND - 1)}…` : text;
}

function statusOf({ status, startedAt, finishedAt, exitCode }: ListedContainer['state']): string {
  if (status === 'running') return `Up ${formatAge(Date.parse(startedAt)).replace(/ ago$/, '')}`;
  if (status === 'exited') return `Exited (${exitCode}) ${formatAge(Date.parse(finishedAt))}`;
  return status === 'created' ? 'Created' : 'Starting';
}
