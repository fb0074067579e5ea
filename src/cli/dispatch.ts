// SPDX-License-Identifier: Apache-2.0
import { CommanderError } from 'commander';
import { HrunError } from '../base/errors.ts';
import type { CliCommand } from './command.ts';
import { findCommand, isGroup, isMissingCommand } from './commands.ts';
import { FlagParser } from './flag-parser.ts';
import { describeError, exitCodeOf, type Output, processOutput } from './output/index.ts';

/**
 * Runs one command line and returns the exit code. `hrun IMAGE …` and `hrun -t IMAGE …` are `hrun run`;
 * `hrun` alone, `--help` and `help COMMAND` explain.
 */
export async function main(argv: readonly string[], output: Output = processOutput()): Promise<number> {
  let fallback = 1;
  try {
    const command = await chooseCommand(argv, output);
    if (typeof command === 'number') return command;
    fallback = command.spec.failureExitCode ?? fallback;
    return await execute(command.spec, command.rest, output);
  } catch (error) {
    output.notice(describeError(error, process.env.HRUN_DEBUG === '1'));
    return exitCodeOf(error, fallback);
  }
}

interface Chosen {
  spec: CliCommand;
  rest: string[];
}

/** The command to execute, or the exit code when the request was for help. */
async function chooseCommand(argv: readonly string[], output: Output): Promise<Chosen | number> {
  const [first] = argv;
  if (first === undefined || isHelp(argv)) return showHelp(output);
  if (first === '--version' || first === '-v') return load(['version']);
  if (first === 'help') {
    return argv[1] === undefined ? showHelp(output) : chooseCommand([...argv.slice(1), '--help'], output);
  }
  if (findCommand(argv)) return load(argv);
  if (isMissingCommand(first)) {
    throw new HrunError('USAGE', `hrun has no command ${first}`, {
      hint: `see: hrun --help; for an image of this name: hrun run ${first}`,
    });
  }
  return isGroup(first) ? showGroup(first, argv.slice(1), output) : load(['run', ...argv]);
}

/** Not the host name of `hrun -h NAME IMAGE`. */
function isHelp([first, second]: readonly string[]): boolean {
  return first === '--help' || (first === '-h' && second === undefined);
}

async function showHelp(output: Output): Promise<number> {
  const { overview } = await import('./output/overview.ts');
  output.write(overview());
  return 0;
}

/** `hrun volume`: which commands begin so; USAGE for one that there is not. */
async function showGroup(group: string, [name]: readonly string[], output: Output): Promise<number> {
  if (name !== undefined && name !== '--help' && name !== '-h') {
    throw new HrunError('USAGE', `no such command: ${group} ${name}`, { hint: `see: hrun ${group} --help` });
  }
  const { groupOverview } = await import('./output/overview.ts');
  output.write(groupOverview(group));
  return 0;
}

async function load(argv: readonly string[]): Promise<Chosen> {
  const found = findCommand(argv);
  if (!found) throw new HrunError('USAGE', `no such command: ${argv[0]}`, { hint: 'see: hrun --help' });
  const { command } = await found.entry.load();
  return { spec: command, rest: found.rest };
}

async function execute(spec: CliCommand, argv: string[], output: Output): Promise<number> {
  const parser = makeParser(spec, output);
  try {
    parser.parseFlags(argv);
  } catch (error) {
    return parserOutcome(error, spec.name);
  }
  const options = parser.opts<object>();
  const data = await spec.run(parser.args, options, output);
  return spec.print(data, output, options) ?? 0;
}

function makeParser(spec: CliCommand, output: Output): FlagParser {
  const parser = new FlagParser(`hrun ${spec.name}`);
  parser.exitOverride().allowExcessArguments(false).helpOption('--help', 'show this help');
  parser.configureOutput({ writeOut: (text) => output.write(text), writeErr: () => {} });
  spec.configure(parser);
  return parser;
}

/** Commander reports help and errors by throwing: help is success, the rest is a usage error in one line. */
function parserOutcome(error: unknown, name: string): number {
  if (!(error instanceof CommanderError)) throw error;
  if (error.exitCode === 0) return 0;
  const message = error.message.replace(/^error: /, '');
  throw new HrunError('USAGE', message, { hint: `see: hrun ${name} --help` });
}
