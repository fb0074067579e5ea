// SPDX-License-Identifier: Apache-2.0
import type { CliCommand } from './command.ts';

/** A command as `hrun --help` lists it; its code is loaded only when it is called. */
export interface CommandEntry {
  readonly summary: string;
  /** Docker's management form, e.g. `image pull` */
  readonly managed?: string;
  load(): Promise<{ command: CliCommand }>;
}

/** All commands, in the order of `hrun --help`. */
export const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  version: { summary: 'Show the version of hrun', load: () => import('./commands/version.ts') },
};

/** Finds the command that `argv` names and the arguments left for it; undefined when it names none. */
export function findCommand(argv: readonly string[]): { entry: CommandEntry; rest: string[] } | undefined {
  const [first, second] = argv;
  if (first === undefined) return undefined;
  const direct = Object.hasOwn(COMMANDS, first) ? COMMANDS[first] : undefined;
  if (direct) return { entry: direct, rest: argv.slice(1) };
  const managed = Object.values(COMMANDS).find((entry) => entry.managed === `${first} ${second}`);
  return managed && { entry: managed, rest: argv.slice(2) };
}
