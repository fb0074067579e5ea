// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import type { Output } from './output/index.ts';

/**
 * What a file in src/cli/commands/ exports as `command`: name, help, options and what to do.
 * `run` calls one use case of src/core and returns data; `print` shows that data through src/cli/output.
 */
export interface CliCommand<Options extends object = object, Data = unknown> {
  readonly name: string;
  /** exit code of a HrunError that has none of its own: 1 as Docker, 125 for those that run a container */
  readonly failureExitCode?: number;
  /** Declares usage, description, operands, options and examples (`addHelpText('after', …)`). */
  configure(command: Command): void;
  /** Does the work. `operands` are the positional arguments as they stood on the command line. */
  run(operands: readonly string[], options: Options, output: Output): Promise<Data>;
  /** Prints the data on stdout; a returned number is the exit code. */
  print(data: Data, output: Output, options: Options): number | undefined;
}

/** Ties the option and data types of a command together. */
export function defineCommand<Options extends object, Data>(
  command: CliCommand<Options, Data>,
): CliCommand<Options, Data> {
  return command;
}
