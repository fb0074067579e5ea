// SPDX-License-Identifier: Apache-2.0
import type { Finding } from '../../base/finding.ts';
import { rootFromEnvironment } from '../../base/root.ts';
import { type CheckedStore, checkStore } from '../../core/check-store.ts';
import { defineCommand } from '../command.ts';
import { formatList } from '../output/format.ts';

interface CheckFlags {
  repair?: true;
  quick?: true;
  format?: string;
}

export const command = defineCommand<CheckFlags, CheckedStore>({
  name: 'system check',
  configure: (command) =>
    command
      .description('Look for damage in the store: images, layers, containers, their names and addresses.')
      .option('--repair', 'mend what can be mended; nothing that a container wrote is deleted')
      .option('--quick', 'look at names and sizes only, read no layer')
      .option('--format <format>', 'json, or a Go template')
      .addHelpText(
        'after',
        `
One line for each thing found. Other commands may run meanwhile; to mend images --repair waits until they are done.
Exit code: 0 when all is sound or mended, 1 when damage is left.`,
      ),
  run: async (_operands, { repair = false, quick = false }) =>
    checkStore(rootFromEnvironment(), { repair, quick }),
  print({ findings, damaged }, output, { format }) {
    output.write(format === undefined ? findings.map(line).join('') : formatList(findings, {}, format));
    return damaged ? 1 : undefined;
  },
});

const STATES = { repairable: 'with --repair: ', repaired: 'done: ', left: 'to do: ' } as const;

function line({ kind, where, what, remedy, state }: Finding): string {
  const mark = kind === 'note' ? 'note   ' : state === 'repaired' ? 'mended ' : 'DAMAGED';
  return `${mark} ${where} ${what} (${STATES[state]}${remedy})\n`;
}
