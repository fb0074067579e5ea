// SPDX-License-Identifier: Apache-2.0
import { formatTable } from './table.ts';
import { compileTemplate, fieldsOf } from './template/index.ts';

const TABLE = 'table';

/** The columns of a table by their headings: a field of the row, or what is made of it. */
export type Columns<T> = Readonly<Record<string, (keyof T & string) | ((row: T) => string)>>;

/**
 * Lists in the way of Docker's `--format`: undefined or `table` prints `columns` with a heading, `json` one JSON
 * object per line, `table TEMPLATE` a table of the template's tab-separated columns, and any other template a line each.
 */
export function formatList<T extends object>(
  rows: readonly T[],
  columns: Columns<T>,
  format: string | undefined,
): string {
  if (format === undefined || format === TABLE) {
    return formatTable([
      Object.keys(columns),
      ...rows.map((row) => Object.values(columns).map((column) => cell(row, column))),
    ]);
  }
  if (format === 'json') return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  const isTable = format.startsWith(`${TABLE} `);
  const source = isTable ? format.slice(TABLE.length + 1) : format;
  const template = compileTemplate(source);
  const lines = rows.map(template);
  if (!isTable) return lines.map((line) => `${line}\n`).join('');
  const heading = fieldsOf(source.replaceAll('\\t', '\t'), headingsOf(columns));
  return formatTable([heading, ...lines].map((line) => line.split('\t')));
}

function cell<T extends object>(row: T, column: Columns<T>[string]): string {
  return typeof column === 'function' ? column(row) : String(row[column]);
}

/** A field has the heading of its column in a template's table too. */
function headingsOf<T>(columns: Columns<T>): Map<string, string> {
  const fields = Object.entries(columns).filter(([, column]) => typeof column === 'string');
  return new Map(fields.map(([heading, field]) => [String(field), heading]));
}
