// SPDX-License-Identifier: Apache-2.0
import { rootFromEnvironment } from '../../base/root.ts';
import { type DiskUsage, diskUsage } from '../../core/disk-usage.ts';
import { defineCommand } from '../command.ts';
import { formatList } from '../output/format.ts';
import { formatSize } from '../output/units.ts';

interface DfOptions {
  format?: string;
}

/** A row as `--format` sees it: Docker's field names. */
interface Shown {
  Active: string;
  Reclaimable: string;
  Size: string;
  TotalCount: string;
  Type: string;
}

export const command = defineCommand<DfOptions, Shown[]>({
  name: 'system df',
  configure: (command) =>
    command
      .description("Show what the store takes on the host's disk.")
      .option('--format <format>', 'table, json, or a Go template'),
  run: async () => (await diskUsage(rootFromEnvironment())).map(shown),
  print(rows, output, { format }) {
    output.write(formatList(rows, COLUMNS, format));
    return undefined;
  },
});

const COLUMNS: Record<string, (row: Shown) => string> = {
  TYPE: (row) => row.Type,
  TOTAL: (row) => row.TotalCount,
  ACTIVE: (row) => row.Active,
  SIZE: (row) => row.Size,
  RECLAIMABLE: (row) => row.Reclaimable,
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
