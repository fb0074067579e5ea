// SPDX-License-Identifier: Apache-2.0
import { rootFromEnvironment } from '../../base/root.ts';
import { examineHost, type Finding } from '../../core/doctor.ts';
import { defineCommand } from '../command.ts';
import { formatList } from '../output/format.ts';

interface DoctorOptions {
  format?: string;
}

const MARKS = { good: 'ok', slow: 'slow', weak: 'weak', problem: 'PROBLEM' } as const;
const MARK_WIDTH = 9;
const SUBJECT_WIDTH = 13;

export const command = defineCommand<DoctorOptions, Finding[]>({
  name: 'doctor',
  configure: (command) =>
    command
      .description('Look at everything hrun needs from this host, and say what to change.')
      .option('-f, --format <format>', 'json, or a Go template')
      .addHelpText('after', '\nExit code: 1 when something keeps containers from running.'),
  run: () => examineHost(rootFromEnvironment()),
  print(findings, output, { format }) {
    output.write(format === undefined ? findings.map(lines).join('') : formatList(findings, {}, format));
    return findings.some(({ state }) => state === 'problem') ? 1 : undefined;
  },
});

function lines({ subject, state, found, advice }: Finding): string {
  const head = MARKS[state].padEnd(MARK_WIDTH) + subject.padEnd(SUBJECT_WIDTH);
  const help = advice === undefined ? '' : `${' '.repeat(head.length)}-> ${advice}\n`;
  return `${head}${found}\n${help}`;
}
