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
  create: {
    summary: 'Make a container without starting it',
    managed: 'container create',
    load: () => import('./commands/create.ts'),
  },
  start: {
    summary: 'Start containers',
    managed: 'container start',
    load: () => import('./commands/start.ts'),
  },
  exec: {
    summary: 'Run another command in a running container',
    managed: 'container exec',
    load: () => import('./commands/exec.ts'),
  },
  attach: {
    summary: 'Join this terminal to a running container',
    managed: 'container attach',
    load: () => import('./commands/attach.ts'),
  },
  stop: { summary: 'End containers', managed: 'container stop', load: () => import('./commands/stop.ts') },
  restart: {
    summary: 'End containers and start them again',
    managed: 'container restart',
    load: () => import('./commands/restart.ts'),
  },
  kill: {
    summary: 'Send a signal to containers',
    managed: 'container kill',
    load: () => import('./commands/kill.ts'),
  },
  pause: {
    summary: 'Let containers stand still',
    managed: 'container pause',
    load: () => import('./commands/pause.ts'),
  },
  unpause: {
    summary: 'Let paused containers go on',
    managed: 'container unpause',
    load: () => import('./commands/unpause.ts'),
  },
  wait: {
    summary: 'Wait until containers have ended',
    managed: 'container wait',
    load: () => import('./commands/wait.ts'),
  },
  rename: {
    summary: 'Give a container another name',
    managed: 'container rename',
    load: () => import('./commands/rename.ts'),
  },
  update: {
    summary: 'Change the limits and the restart policy of containers',
    managed: 'container update',
    load: () => import('./commands/update.ts'),
  },
  cp: {
    summary: 'Copy files between a container and the host',
    managed: 'container cp',
    load: () => import('./commands/cp.ts'),
  },
  diff: {
    summary: 'Show what a container has changed in its files',
    managed: 'container diff',
    load: () => import('./commands/diff.ts'),
  },
  commit: {
    summary: 'Make an image of a container',
    managed: 'container commit',
    load: () => import('./commands/commit.ts'),
  },
  export: {
    summary: "Export a container's files as an archive",
    managed: 'container export',
    load: () => import('./commands/export.ts'),
  },
  import: {
    summary: 'Make an image of an archive of files',
    managed: 'image import',
    load: () => import('./commands/import.ts'),
  },
  logs: {
    summary: 'Show what a container has written',
    managed: 'container logs',
    load: () => import('./commands/logs.ts'),
  },
  events: {
    summary: 'Show what happens in the store',
    managed: 'system events',
    load: () => import('./commands/events.ts'),
  },
  port: {
    summary: "Show which ports of the host lead to a container's",
    managed: 'container port',
    load: () => import('./commands/port.ts'),
  },
  top: {
    summary: 'Show the processes of a container',
    managed: 'container top',
    load: () => import('./commands/top.ts'),
  },
  stats: {
    summary: 'Show what containers use and cost',
    managed: 'container stats',
    load: () => import('./commands/stats.ts'),
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
    summary: 'Show everything about containers or images',
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
  'network create': {
    summary: 'Make a network',
    load: () => import('./commands/network-create.ts'),
  },
  'network connect': {
    summary: 'Connect a container to a network',
    load: () => import('./commands/network-connect.ts'),
  },
  'network disconnect': {
    summary: 'Take a container out of a network',
    load: () => import('./commands/network-disconnect.ts'),
  },
  'network ls': { summary: 'List networks', load: () => import('./commands/network-ls.ts') },
  'network inspect': {
    summary: 'Show everything about networks',
    load: () => import('./commands/network-inspect.ts'),
  },
  'network rm': { summary: 'Remove networks', load: () => import('./commands/network-rm.ts') },
  'network prune': {
    summary: 'Remove networks that no container has',
    load: () => import('./commands/network-prune.ts'),
  },
  'volume create': {
    summary: 'Make a volume',
    load: () => import('./commands/volume-create.ts'),
  },
  'volume ls': { summary: 'List volumes', load: () => import('./commands/volume-ls.ts') },
  'volume inspect': {
    summary: 'Show everything about volumes',
    load: () => import('./commands/volume-inspect.ts'),
  },
  'volume rm': { summary: 'Remove volumes', load: () => import('./commands/volume-rm.ts') },
  'volume prune': {
    summary: 'Remove volumes that no container has',
    load: () => import('./commands/volume-prune.ts'),
  },
  'bench startup': {
    summary: 'Measure start-up latency beside namespace containers',
    load: () => import('./commands/bench-startup.ts'),
  },
  'bench concurrency': {
    summary: 'Measure containers that are started at once',
    load: () => import('./commands/bench-concurrency.ts'),
  },
  'bench density': {
    summary: 'Measure the memory of idle containers',
    load: () => import('./commands/bench-density.ts'),
  },
  'template create': {
    summary: 'Boot a machine that containers start from',
    load: () => import('./commands/template-create.ts'),
  },
  'template ls': { summary: 'List templates', load: () => import('./commands/template-ls.ts') },
  'template inspect': {
    summary: 'Show what templates are made of',
    load: () => import('./commands/template-inspect.ts'),
  },
  'template rm': { summary: 'Remove templates', load: () => import('./commands/template-rm.ts') },
  'pool create': {
    summary: 'Have machines wait for containers',
    load: () => import('./commands/pool-create.ts'),
  },
  'pool ls': { summary: 'List pools of waiting machines', load: () => import('./commands/pool-ls.ts') },
  'pool rm': { summary: 'End the machines of pools', load: () => import('./commands/pool-rm.ts') },
  clone: {
    summary: 'Make a second container that goes on from a running one',
    load: () => import('./commands/clone.ts'),
  },
  'checkpoint create': {
    summary: 'Save a running container with its memory',
    load: () => import('./commands/checkpoint-create.ts'),
  },
  'checkpoint ls': {
    summary: 'List the checkpoints of a container',
    load: () => import('./commands/checkpoint-ls.ts'),
  },
  'checkpoint rm': {
    summary: 'Remove a checkpoint of a container',
    load: () => import('./commands/checkpoint-rm.ts'),
  },
  'container prune': {
    summary: 'Remove all containers that do not run',
    load: () => import('./commands/container-prune.ts'),
  },
  'image prune': {
    summary: 'Remove images that have no name',
    load: () => import('./commands/image-prune.ts'),
  },
  'system start': {
    summary: 'Start the containers that are to run after a boot of the host',
    load: () => import('./commands/system-start.ts'),
  },
  'system stop': {
    summary: 'Stop all containers because the host goes down',
    load: () => import('./commands/system-stop.ts'),
  },
  'system prune': {
    summary: 'Remove what nothing needs',
    load: () => import('./commands/system-prune.ts'),
  },
  'system df': {
    summary: 'Show what the store takes on the disk',
    load: () => import('./commands/system-df.ts'),
  },
  'system check': {
    summary: 'Look for damage in the store, and mend it',
    load: () => import('./commands/system-check.ts'),
  },
  login: { summary: 'Log in to a registry', load: () => import('./commands/login.ts') },
  logout: { summary: 'Forget the login for a registry', load: () => import('./commands/logout.ts') },
  info: { summary: 'Show this host and the store', load: () => import('./commands/info.ts') },
  doctor: {
    summary: 'Look at what this host lacks, and say what to do',
    load: () => import('./commands/doctor.ts'),
  },
  completion: {
    summary: 'Print a script that completes command lines',
    load: () => import('./commands/completion.ts'),
  },
  version: { summary: 'Show the version of hrun', load: () => import('./commands/version.ts') },
};

/** More names of Docker's, and what they stand for. */
const ALIASES: Readonly<Record<string, readonly [name: string, ...options: string[]]>> = {
  'checkpoint list': ['checkpoint ls'],
  'checkpoint remove': ['checkpoint rm'],
  'container ps': ['ps'],
  'container list': ['ps'],
  'container remove': ['rm'],
  'container inspect': ['inspect', '--type', 'container'],
  'image list': ['images'],
  'image remove': ['rmi'],
  'image inspect': ['inspect', '--type', 'image'],
  'system info': ['info'],
  'network list': ['network ls'],
  'network remove': ['network rm'],
  'pool list': ['pool ls'],
  'pool remove': ['pool rm'],
  'template list': ['template ls'],
  'template remove': ['template rm'],
  'volume list': ['volume ls'],
  'volume remove': ['volume rm'],
};

/** First words of Docker's that are no commands here, and are not to be taken for images: `run` before them says that they are. */
const MISSING = 'build builder buildx compose context manifest push search stack swarm';

/** True for a command of Docker's that hrun does not have. */
export function isMissingCommand(word: string): boolean {
  return MISSING.split(' ').includes(word) && !isGroup(word) && !Object.hasOwn(COMMANDS, word);
}

/** The commands of two words that begin with `group`, Docker's names among them: second word and summary. */
export function commandsOf(group: string): [name: string, summary: string][] {
  const named = Object.entries(COMMANDS).flatMap(([name, { managed, summary }]) =>
    [name, managed].map((each) => [each, summary] as const),
  );
  const aliased = Object.entries(ALIASES).map(([name, [of]]) => [name, COMMANDS[of]!.summary] as const);
  return [...named, ...aliased].flatMap(([name, summary]) => {
    const [first, second] = name?.split(' ') ?? [];
    return first === group && second !== undefined ? [[second, summary]] : [];
  });
}

/** True for `container`, `volume` and the like, which stand before the second words of commands. */
export function isGroup(word: string): boolean {
  return commandsOf(word).length > 0;
}

/** Finds the command that `argv` names and the arguments left for it; undefined when it names none. */
export function findCommand(argv: readonly string[]): { entry: CommandEntry; rest: string[] } | undefined {
  const [first, second] = argv;
  if (first === undefined) return undefined;
  const two = `${first} ${second}`;
  if (Object.hasOwn(ALIASES, two)) {
    const [name, ...options] = ALIASES[two]!;
    return { entry: COMMANDS[name]!, rest: [...options, ...argv.slice(2)] };
  }
  const managed = Object.entries(COMMANDS).find(([name, entry]) => name === two || entry.managed === two);
  if (managed) return { entry: managed[1], rest: argv.slice(2) };
  const direct = Object.hasOwn(COMMANDS, first) ? COMMANDS[first] : undefined;
  return direct && { entry: direct, rest: argv.slice(1) };
}
