// SPDX-License-Identifier: Apache-2.0
import { formatTable } from './table.ts';
import { compileTemplate, fieldsOf } from './template/index.ts';

const TABLE = 'table';

/**
 * Lists in the way of Docker's `--format`: undefined or `table` prints `columns` with a heading, `json` one JSON
 * object per line, `table TEMPLATE` a table of the template's tab-separated columns, and any other template a line each.
 */
export function formatList<T extends object>(
  rows: readonly T[],
  columns: Readonly<Record<string, (row: T) => string>>,
  format: string | undefined,
): string {
  if (format === undefined || format === TABLE) {
    return formatTable([
      Object.keys(columns),
      ...rows.map((row) => Object.values(columns).map((cell) => cell(row))),
    ]);
  }
  if (format === 'json') return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  const isTable = format.startsWith(`${TABLE} `);
  const source = isTable ? format.slice(TABLE.length + 1) : format;
  const template = compileTemplate(source);
  const lines = rows.map(template);
  if (!isTable) return lines.map((line) => `${line}\n`).join('');
  const heading = fieldsOf(source.replaceAll('\\t', '\t'));
  return formatTable([heading, ...lines].map((line) => line.split('\t')));
}
