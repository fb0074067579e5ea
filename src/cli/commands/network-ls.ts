// SPDX-License-Identifier: Apache-2.0
import { rootFromEnvironment } from '../../base/root.ts';
import { shortId } from '../../container/index.ts';
import { allNetworks } from '../../core/networks.ts';
import type { Network } from '../../network/index.ts';
import { defineCommand } from '../command.ts';
import { formatList } from '../output/format.ts';
import { type LabelFields, labelFields } from '../output/labels.ts';

interface LsOptions {
  format?: string;
  quiet?: true;
  trunc: boolean;
}

/** A row as `--format` sees it: Docker's field names. */
interface Shown extends LabelFields {
  CreatedAt: string;
  Driver: string;
  ID: string;
  IPv6: string;
  Internal: string;
  Name: string;
  Scope: string;
}

export const command = defineCommand<LsOptions, Shown[]>({
  name: 'network ls',
  configure: (command) =>
    command
      .description('List networks.')
      .option('--format <format>', 'table, json, or a Go template')
      .option('--no-trunc', 'whole IDs')
      .option('-q, --quiet', 'only their IDs'),
  run: async (_operands, { trunc }) =>
    (await allNetworks(rootFromEnvironment())).map((network) => shown(network, trunc)),
  print(rows, output, { format, quiet }) {
    if (quiet) output.write(rows.map(({ ID }) => `${ID}\n`).join(''));
    else output.write(formatList(rows, COLUMNS, format));
    return undefined;
  },
});

const COLUMNS: Record<string, (row: Shown) => string> = {
  'NETWORK ID': (row) => row.ID,
  NAME: (row) => row.Name,
  DRIVER: (row) => row.Driver,
  SCOPE: (row) => row.Scope,
};

function shown({ id, name, created, internal, labels }: Network, trunc: boolean): Shown {
  return {
    CreatedAt: created,
    Driver: 'bridge',
    ID: trunc ? shortId(id) : id,
    IPv6: 'false',
    Internal: String(internal),
    ...labelFields(labels),
    Name: name,
    Scope: 'local',
  };
}
