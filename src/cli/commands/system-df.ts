// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../../base/errors.ts';
import { rootFromEnvironment } from '../../base/root.ts';
import { type DiskUsage, diskUsage } from '../../core/disk-usage.ts';
import { diskUsageDetails } from '../../core/disk-usage-details.ts';
import { defineCommand } from '../command.ts';
import { diskUsageTables } from '../output/disk-usage.ts';
import { type Columns, formatList } from '../output/format.ts';
import { formatSize } from '../output/units.ts';

interface DfOptions {
  format?: string;
  verbose?: true;
}

/** A row as `--format` sees it: Docker's field names. */
interface Shown {
  Active: string;
  Reclaimable: string;
  Size: string;
  TotalCount: string;
  Type: string;
}

export const command = defineCommand<DfOptions, string>({
  name: 'system df',
  configure: (command) =>
    command
      .description("Show what the store takes on the host's disk.")
      .option('--format <format>', 'table, json, or a Go template')
      .option('-v, --verbose', 'show each image, container and volume'),
  run: (_operands, { format, verbose }) => (verbose ? details(format) : summary(format)),
  print(text, output) {
    output.write(text);
    return undefined;
  },
});

async function summary(format: string | undefined): Promise<string> {
  return formatList((await diskUsage(rootFromEnvironment())).map(shown), COLUMNS, format);
}

async function details(format: string | undefined): Promise<string> {
  if (format === undefined) return diskUsageTables(await diskUsageDetails(rootFromEnvironment()));
  throw new HrunError('USAGE', '--verbose and --format contradict each other', { hint: 'leave one out' });
}

const COLUMNS: Columns<Shown> = {
  TYPE: 'Type',
  TOTAL: 'TotalCount',
  ACTIVE: 'Active',
  SIZE: 'Size',
  RECLAIMABLE: 'Reclaimable',
};

function shown({ type, total, active, size, reclaimable }: DiskUsage): Shown {
  const share = size > 0 ? Math.floor((100 * reclaimable) / size) : 0;
  return {
    Active: String(active),
    Reclaimable: `${formatSize(reclaimable)}${size > 0 ? ` (${share}%)` : ''}`,
    Size: formatSize(size),
    TotalCount: String(total),
    Type: type,
  };
}
