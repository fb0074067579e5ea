// SPDX-License-Identifier: Apache-2.0
import { rootFromEnvironment } from '../../base/root.ts';
import { type DensityResult, type DensityRow, measureDensity } from '../../bench/index.ts';
import { defineCommand } from '../command.ts';
import { claimFiles, parseCount, resultText } from '../options/bench.ts';
import { formatList } from '../output/format.ts';
import { writeResult } from '../output/result-file.ts';
import { formatBinarySize } from '../output/units.ts';

interface BenchFlags {
  containers: string;
  json?: string;
  settle: string;
}

export const command = defineCommand<BenchFlags, DensityResult>({
  name: 'bench density',
  configure: (command) =>
    command
      .description("Measure what idle containers cost in the host's memory.")
      .argument('<image>', 'an image of the store')
      .option('--containers <number>', 'that run at the same time', '10')
      .option('--settle <seconds>', 'from the last start to the measuring', '3')
      .option('--json <file>', 'write the result to a file'),
  async run([image], { containers, settle, json }) {
    const options = {
      image: image!,
      containers: parseCount(containers, '--containers', 1, 10_000),
      settleMs: parseCount(settle, '--settle', 0, 3600) * 1000,
    };
    claimFiles(json);
    return await measureDensity(rootFromEnvironment(), options);
  },
  print(result, output, { json }) {
    output.line(`${result.image}, asleep; memory of the host a container`);
    output.write(formatList(result.rows, COLUMNS, undefined));
    if (json !== undefined) writeResult(json, resultText(result));
    return undefined;
  },
});

const COLUMNS: Record<string, (row: DensityRow) => string> = {
  '': ({ name }) => name,
  CONTAINERS: ({ containers }) => String(containers),
  PSS: ({ pss }) => formatBinarySize(Math.round(pss)),
  'AVAILABLE LESS': ({ available }) => formatBinarySize(Math.round(available)),
};
