// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../../base/errors.ts';
import { rootFromEnvironment } from '../../base/root.ts';
import {
  measureStartup,
  PEER_NAMES,
  ratioText,
  type StartupOptions,
  type StartupResult,
  type StartupRow,
  startupPage,
} from '../../bench/index.ts';
import { defineCommand } from '../command.ts';
import { claimFiles, measuredCommand, parseCount, resultText, TIME_COLUMNS } from '../options/bench.ts';
import { formatList } from '../output/format.ts';
import { writeResult } from '../output/result-file.ts';

interface BenchFlags {
  baseline?: string;
  html?: string;
  json?: string;
  peers: string;
  runs: string;
  warmups: string;
}

const MOST_RUNS = 10_000;

export const command = defineCommand<BenchFlags, StartupResult>({
  name: 'bench startup',
  configure: (command) =>
    command
      .description(
        'Measure how long a container takes from start to end, beside namespace containers of the same image.',
      )
      .argument('<image>', 'an image of the store')
      .argument('[command...]', 'what runs in the container', ['true'])
      .passThroughOptions()
      .option('--runs <number>', 'runs of each that count', '30')
      .option('--warmups <number>', 'runs of each before them', '3')
      .option('--peers <list>', 'what is measured beside hrun, if this host has it', PEER_NAMES.join(','))
      .option('--baseline <name>', 'what ratios are to (default: the first peer)')
      .option('--json <file>', 'write every time to a file')
      .option('--html <file>', 'write a page with the distribution and the stages of hrun')
      .addHelpText('after', EXAMPLES),
  async run([image, ...words], flags, output) {
    const options: StartupOptions = {
      ...{ image: image!, command: measuredCommand(words), peers: parsePeers(flags.peers) },
      ...{
        runs: parseCount(flags.runs, '--runs', 1, MOST_RUNS),
        warmups: parseCount(flags.warmups, '--warmups', 0, MOST_RUNS),
      },
      baseline: flags.baseline,
    };
    claimFiles(flags.json, flags.html);
    return await measureStartup(rootFromEnvironment(), options, (done, all) => {
      if (process.stderr.isTTY) output.progress(`\rround ${done} of ${all}${done === all ? '\n' : ''}`);
    });
  },
  print(result, output, { json, html }) {
    output.line(`${result.image} ${result.command}, from ${result.events}; times in ms`);
    output.write(formatList(result.rows, columns(result.baseline), undefined));
    for (const line of result.absent) output.line(`not measured: ${line}`);
    if (json !== undefined) writeResult(json, resultText(result));
    if (html !== undefined) writeResult(html, startupPage(result));
    return undefined;
  },
});

const EXAMPLES = `
Examples:
  hrun bench startup busybox
  hrun bench startup --peers podman,runc --runs 100 --html startup.html debian python3 -c pass

Each round runs each of them once, so that a host whose speed drifts slows all alike. Ratios are of medians, with a 95 % confidence
interval (bootstrap). hrun's template is made before; a first run without one takes as long as "booted".`;

function columns(baseline: string): Record<string, (row: StartupRow) => string> {
  return {
    '': ({ name }) => name,
    N: ({ runs }) => String(runs),
    ...TIME_COLUMNS,
    [`TO ${baseline.toUpperCase()}`]: ratioText,
  };
}

function parsePeers(text: string): string[] {
  const names = text.split(',').filter((name) => name !== '');
  const unknown = names.find((name) => !PEER_NAMES.includes(name));
  if (unknown === undefined) return names;
  throw new HrunError('USAGE', `--peers: ${unknown} is not known`, {
    hint: `known: ${PEER_NAMES.join(', ')}`,
  });
}
