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
  run: {
    summary: 'Run a command in a new container',
    managed: 'container run',
    load: () => import('./commands/run.ts'),
  },
  ps: { summary: 'List containers', managed: 'container ls', load: () => import('./commands/ps.ts') },
  rm: { summary: 'Remove containers', managed: 'container rm', load: () => import('./commands/rm.ts') },
  pull: {
    summary: 'Pull an image from a registry',
    managed: 'image pull',
    load: () => import('./commands/pull.ts'),
  },
  images: { summary: 'List images', managed: 'image ls', load: () => import('./commands/images.ts') },
  rmi: { summary: 'Remove images', managed: 'image rm', load: () => import('./commands/rmi.ts') },
  tag: {
    summary: 'Give an image one more name',
    managed: 'image tag',
    load: () => import('./commands/tag.ts'),
  },
  inspect: {
    summary: 'Show everything about images',
    managed: 'image inspect',
    load: () => import('./commands/inspect.ts'),
  },
  history: {
    summary: 'Show how an image was made',
    managed: 'image history',
    load: () => import('./commands/history.ts'),
  },
  load: {
    summary: 'Load images from an archive',
    managed: 'image load',
    load: () => import('./commands/load.ts'),
  },
  save: {
    summary: 'Save images as an archive',
    managed: 'image save',
    load: () => import('./commands/save.ts'),
  },
  login: { summary: 'Log in to a registry', load: () => import('./commands/login.ts') },
  logout: { summary: 'Forget the login for a registry', load: () => import('./commands/logout.ts') },
  info: { summary: 'Show this host and the store', load: () => import('./commands/info.ts') },
  doctor: {
    summary: 'Look at what this host lacks, and say what to do',
    load: () => import('./commands/doctor.ts'),
  },
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
