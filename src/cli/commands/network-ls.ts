// SPDX-License-Identifier: Apache-2.0
import { rootFromEnvironment } from '../../base/root.ts';
import { shortId } from '../../container/index.ts';
import { filteredNetworks } from '../../core/network-filters.ts';
import { allNetworks } from '../../core/networks.ts';
import type { Network } from '../../network/index.ts';
import { defineCommand } from '../command.ts';
import { collect } from '../option.ts';
import { type Columns, formatList } from '../output/format.ts';
import { type LabelFields, labelFields } from '../output/labels.ts';
import { formatTimestamp } from '../output/units.ts';

interface LsOptions {
  filter: string[];
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
      .option(
        '-f, --filter <key=value>',
        'dangling=, driver=, id=, label=, name=, scope= or type=',
        collect,
        [],
      )
      .option('--format <format>', 'table, json, or a Go template')
      .option('--no-trunc', 'whole IDs')
      .option('-q, --quiet', 'only their IDs'),
  async run(_operands, { filter, trunc }) {
    const root = rootFromEnvironment();
    const networks = filteredNetworks(root, await allNetworks(root), filter);
    return networks.map((network) => shown(network, trunc));
  },
  print(rows, output, { format, quiet }) {
    if (quiet) output.write(rows.map(({ ID }) => `${ID}\n`).join(''));
    else output.write(formatList(rows, COLUMNS, format));
    return undefined;
  },
});

const COLUMNS: Columns<Shown> = {
  'NETWORK ID': 'ID',
  NAME: 'Name',
  DRIVER: 'Driver',
  SCOPE: 'Scope',
};

function shown({ id, name, created, internal, ipv6, labels }: Network, trunc: boolean): Shown {
  return {
    CreatedAt: formatTimestamp(created),
    Driver: 'bridge',
    ID: trunc ? shortId(id) : id,
    IPv6: String(ipv6 !== undefined),
    Internal: String(internal),
    ...labelFields(labels),
    Name: name,
    Scope: 'local',
  };
}
