// SPDX-License-Identifier: Apache-2.0
import { rootFromEnvironment } from '../../base/root.ts';
import { filteredVolumes } from '../../core/volume-filters.ts';
import { removeTiedVolumes } from '../../core/volumes.ts';
import { type Volume, volumeSource } from '../../volume/index.ts';
import { defineCommand } from '../command.ts';
import { collect } from '../option.ts';
import { type Columns, formatList } from '../output/format.ts';
import { type LabelFields, labelFields } from '../output/labels.ts';

interface LsOptions {
  filter: string[];
  format?: string;
  quiet?: true;
}

/** A row as `--format` sees it: Docker's field names. */
interface Shown extends LabelFields {
  Availability: string;
  Driver: string;
  Group: string;
  Links: string;
  Mountpoint: string;
  Name: string;
  Scope: string;
  Size: string;
  Status: string;
}

const UNKNOWN = 'N/A';

export const command = defineCommand<LsOptions, Shown[]>({
  name: 'volume ls',
  configure: (command) =>
    command
      .description('List volumes.')
      .option('-f, --filter <key=value>', 'dangling=, driver=, label= or name=', collect, [])
      .option('--format <format>', 'table, json, or a Go template')
      .option('-q, --quiet', 'only their names'),
  async run(_operands, { filter }) {
    await removeTiedVolumes(rootFromEnvironment());
    return filteredVolumes(rootFromEnvironment(), filter).map(shown);
  },
  print(rows, output, { format, quiet }) {
    if (quiet) output.write(rows.map(({ Name }) => `${Name}\n`).join(''));
    else output.write(formatList(rows, COLUMNS, format));
    return undefined;
  },
});

const COLUMNS: Columns<Shown> = {
  DRIVER: 'Driver',
  'VOLUME NAME': 'Name',
};

function shown(volume: Volume): Shown {
  return {
    ...{
      Availability: UNKNOWN,
      Driver: 'local',
      Group: UNKNOWN,
      ...labelFields(volume.labels),
      Links: UNKNOWN,
    },
    ...{ Mountpoint: volumeSource(rootFromEnvironment(), volume), Name: volume.name, Scope: 'local' },
    ...{ Size: UNKNOWN, Status: UNKNOWN },
  };
}
