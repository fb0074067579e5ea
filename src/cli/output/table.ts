// SPDX-License-Identifier: Apache-2.0

const GAP = 3;
/** of a column with its gap, as Docker's */
const LEAST_WIDTH = 10;

/** Lines of columns as wide as their widest cell, as Docker's tables; the last column is not padded. */
export function formatTable(table: readonly (readonly string[])[]): string {
  const rows = table.map((row) => row.map(harmless));
  const widths: number[] = [];
  for (const row of rows) {
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, [...cell].length);
  }
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, index) => pad(cell, index, row, widths))
          .join('')
          .trimEnd()}\n`,
    )
    .join('');
}

function pad(cell: string, index: number, row: readonly string[], widths: number[]): string {
  if (index === row.length - 1) return cell;
  return cell + ' '.repeat(Math.max(widths[index]! + GAP, LEAST_WIDTH) - [...cell].length);
}

/** Text from an image must not steer the terminal. */
function harmless(cell: string): string {
  return cell.replace(/[\x00-\x1f\x7f-\x9f]/g, '\ufffd');
}
