// SPDX-License-Identifier: Apache-2.0
// What all prune commands have in common.
import type { Command } from 'commander';
import { HrunError } from '../../base/errors.ts';
import type { Pruned, PruneFilters } from '../../core/prune.ts';
import { collect } from '../option.ts';
import type { Output } from '../output/index.ts';
import { formatSize } from '../output/units.ts';
import { confirm } from '../prompt.ts';
import { parseTime } from './time.ts';

export interface PruneFlags {
  filter: string[];
  force?: true;
}

export function declarePruneOptions(command: Command): Command {
  return command
    .option('--filter <key=value>', 'until=24h, label=key[=value], label!=key[=value]', collect, [])
    .option('-f, --force', 'do not ask');
}

/** USAGE for a key that there is not. */
export function parsePruneFilters(texts: readonly string[]): PruneFilters {
  const labels: string[] = [];
  const withoutLabels: string[] = [];
  let until: number | undefined;
  for (const text of texts) {
    const [, key, value = ''] = /^(until|label!?)=(.+)$/s.exec(text) ?? [];
    if (key === 'until') until = Date.parse(parseTime(value, '--filter until'));
    else if (key === 'label') labels.push(value);
    else if (key === 'label!') withoutLabels.push(value);
    else throw new HrunError('USAGE', `"${text}" is not a filter`, { hint: 'use until=, label= or label!=' });
  }
  return { until, labels, withoutLabels };
}

/** Asks unless `force`; false when the answer is not yes. */
export async function mayPrune(what: string, { force }: PruneFlags): Promise<boolean> {
  return (
    force === true ||
    (await confirm(`WARNING! This will remove ${what}.\nAre you sure you want to continue? [y/N] `))
  );
}

export function printPruned(title: string, { removed }: Pruned, output: Output): void {
  if (removed.length > 0) output.write(`${title}:\n${removed.map((each) => `${each}\n`).join('')}\n`);
}

export function printReclaimed(bytes: number, output: Output): void {
  output.line(`Total reclaimed space: ${formatSize(bytes)}`);
}

/** What there is to say when one kind of things was pruned. */
export function printOutcome(title: string, pruned: Pruned, output: Output): void {
  printPruned(title, pruned, output);
  printReclaimed(pruned.reclaimed, output);
}
