// SPDX-License-Identifier: Apache-2.0
import { rootFromEnvironment } from '../../base/root.ts';
import { type HistoryRow, imageHistory } from '../../core/history.ts';
import { openImageStore } from '../../image/index.ts';
import { defineCommand } from '../command.ts';
import { type Columns, formatList } from '../output/format.ts';
import { formatAge, formatSize } from '../output/units.ts';

interface HistoryOptions {
  format?: string;
  human: boolean | string;
  trunc: boolean;
  quiet?: boolean;
}

/** A row as `--format` sees it: Docker's field names. */
interface Shown {
  Comment: string;
  CreatedAt: string;
  CreatedBy: string;
  CreatedSince: string;
  ID: string;
  Size: string;
}

const MAX_CREATED_BY = 45;

export const command = defineCommand<HistoryOptions, Shown[]>({
  name: 'history',
  configure: (command) =>
    command
      .description('Show how an image was made, the newest step first.')
      .argument('<image>')
      .option('--format <format>', 'table, json, or a Go template')
      .option('-H, --human [boolean]', 'sizes and dates for people', true)
      .option('--no-trunc', 'show all of IDs and commands')
      .option('-q, --quiet', 'show only IDs'),
  async run([image], options) {
    using store = await openImageStore(rootFromEnvironment());
    return (await imageHistory(store, image!)).map((row) => show(row, options));
  },
  print(rows, output, { format, quiet }) {
    if (quiet) output.write(rows.map((row) => `${row.ID}\n`).join(''));
    else output.write(formatList(rows, COLUMNS, format));
    return undefined;
  },
});

const COLUMNS: Columns<Shown> = {
  IMAGE: 'ID',
  CREATED: 'CreatedSince',
  'CREATED BY': 'CreatedBy',
  SIZE: 'Size',
  COMMENT: 'Comment',
};

function show(
  { id, created, createdBy, size, comment }: HistoryRow,
  { human, trunc }: HistoryOptions,
): Shown {
  const isHuman = human !== false && human !== 'false';
  const age = created === undefined ? 'N/A' : formatAge(Date.parse(created) || 0);
  const line = createdBy.replaceAll('\t', ' ');
  return {
    Comment: comment,
    CreatedAt: created ?? '',
    CreatedBy: trunc && line.length > MAX_CREATED_BY ? `${line.slice(0, MAX_CREATED_BY - 1)}…` : line,
    CreatedSince: isHuman ? age : (created ?? 'N/A'),
    ID: id === undefined ? '<missing>' : trunc ? id.slice('sha256:'.length, 'sha256:'.length + 12) : id,
    Size: isHuman ? formatSize(size) : String(size),
  };
}
