// SPDX-License-Identifier: Apache-2.0
import { rootFromEnvironment } from '../../base/root.ts';
import { type ConcurrencyResult, type ConcurrencyRow, measureConcurrency } from '../../bench/index.ts';
import { defineCommand } from '../command.ts';
import { claimFiles, measuredCommand, parseCount, resultText, TIME_COLUMNS } from '../options/bench.ts';
import { formatList } from '../output/format.ts';
import { writeResult } from '../output/result-file.ts';

interface BenchFlags {
  json?: string;
  most: string;
  rounds: string;
}

export const command = defineCommand<BenchFlags, ConcurrencyResult>({
  name: 'bench concurrency',
  configure: (command) =>
    command
      .description(
        'Measure containers that are started at once: how long each takes, and how many there are a second.',
      )
      .argument('<image>', 'an image of the store')
      .argument('[command...]', 'what runs in the containers', ['true'])
      .passThroughOptions()
      .option('--most <number>', '1, 2, 4 and so on, up to this many at once', '64')
      .option('--rounds <number>', 'of each number', '3')
      .option('--json <file>', 'write the result to a file'),
  async run([image, ...words], { json, most, rounds }, output) {
    const options = {
      ...{ image: image!, command: measuredCommand(words) },
      ...{ most: parseCount(most, '--most', 1, 4096), rounds: parseCount(rounds, '--rounds', 1, 1000) },
    };
    claimFiles(json);
    return await measureConcurrency(rootFromEnvironment(), options, ({ name, together }) => {
      if (process.stderr.isTTY) output.progress(`${together} at once: ${name}\n`);
    });
  },
  print(result, output, { json }) {
    output.line(`${result.image} ${result.command}, from execve of the command to its exit; times in ms`);
    output.write(formatList(result.rows, COLUMNS, undefined));
    if (json !== undefined) writeResult(json, resultText(result));
    return undefined;
  },
});

const COLUMNS: Record<string, (row: ConcurrencyRow) => string> = {
  '': ({ name }) => name,
  'AT ONCE': ({ together }) => String(together),
  ...TIME_COLUMNS,
  'A SECOND': ({ throughput }) => throughput.toFixed(2),
  FAILED: ({ failed }) => String(failed),
};
