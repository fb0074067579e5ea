// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../../base/errors.ts';
import { rootFromEnvironment } from '../../base/root.ts';
import { type ContainerProcessInfo, containerProcesses } from '../../core/top.ts';
import { defineCommand } from '../command.ts';
import { formatTable } from '../output/table.ts';

interface Top {
  columns: Column[];
  processes: ContainerProcessInfo[];
}

interface Column {
  heading: string;
  cell(process: ContainerProcessInfo): string;
}

/** Columns by the names that `ps -o` knows. */
const COLUMNS: Readonly<Record<string, Column>> = {
  uid: { heading: 'UID', cell: ({ uid }) => user(uid) },
  user: { heading: 'USER', cell: ({ uid }) => user(uid) },
  pid: { heading: 'PID', cell: ({ pid }) => String(pid) },
  ppid: { heading: 'PPID', cell: ({ parent }) => String(parent) },
  c: { heading: 'C', cell: (process) => String(Math.floor(cpuShare(process))) },
  pcpu: { heading: '%CPU', cell: (process) => cpuShare(process).toFixed(1) },
  stime: { heading: 'STIME', cell: ({ started }) => clock(started) },
  start: { heading: 'START', cell: ({ started }) => clock(started) },
  tty: { heading: 'TTY', cell: ({ terminal }) => terminal },
  time: { heading: 'TIME', cell: ({ cpuTime }) => duration(cpuTime) },
  stat: { heading: 'STAT', cell: ({ state }) => state },
  rss: { heading: 'RSS', cell: ({ residentKiB }) => String(residentKiB) },
  vsz: { heading: 'VSZ', cell: ({ virtualKiB }) => String(virtualKiB) },
  nlwp: { heading: 'NLWP', cell: ({ threads }) => String(threads) },
  comm: { heading: 'COMMAND', cell: ({ name }) => name },
  cmd: { heading: 'CMD', cell: ({ command }) => command },
  args: { heading: 'COMMAND', cell: ({ command }) => command },
};

const FULL = ['uid', 'pid', 'ppid', 'c', 'stime', 'tty', 'time', 'cmd'];
const USER = ['user', 'pid', 'pcpu', 'vsz', 'rss', 'tty', 'stat', 'start', 'time', 'args'];
const HINT = 'use -ef, aux, or -o with some of';

export const command = defineCommand<object, Top>({
  name: 'top',
  configure: (command) =>
    command
      .description('Show the processes of a running container.')
      .argument('<container>', 'name or ID')
      .argument('[ps-options...]', 'as of ps: -ef, aux, -o pid,rss,args')
      .passThroughOptions()
      .allowUnknownOption(),
  async run([container, ...options]) {
    const columns = columnsOf(options);
    return { columns, processes: await containerProcesses(rootFromEnvironment(), container!) };
  },
  print({ columns, processes }, output) {
    const rows = processes.map((process) => columns.map(({ cell }) => cell(process)));
    output.write(formatTable([columns.map(({ heading }) => heading), ...rows]));
    return undefined;
  },
});

/** The image's own ps need not exist, so its options are understood here: those that people use. */
function columnsOf(options: readonly string[]): Column[] {
  const [first = '-ef', ...rest] = options;
  if (rest.length === 0 && ['-ef', '-eF', '-e', '-f'].includes(first)) return named(FULL);
  if (rest.length === 0 && ['aux', '-aux', 'ax', 'u'].includes(first)) return named(USER);
  const list = /^(?:-e)?-?o(.*)$/.exec(options.join(' '))?.[1];
  if (list !== undefined) return named(list.trim().split(/[\s,]+/));
  throw unknown(options.join(' '));
}

function named(names: readonly string[]): Column[] {
  return names.map((name) => {
    const column = Object.hasOwn(COLUMNS, name) ? COLUMNS[name] : undefined;
    if (!column) throw unknown(name);
    return column;
  });
}

function unknown(text: string): HrunError {
  return new HrunError('USAGE', `"${text}" is no option of ps that hrun knows`, {
    hint: `${HINT} ${Object.keys(COLUMNS).join(', ')}`,
  });
}

function user(uid: number): string {
  return uid === 0 ? 'root' : String(uid);
}

/** Percent of one CPU since the process began. */
function cpuShare({ cpuTime, started }: ContainerProcessInfo): number {
  const age = (Date.now() - started.getTime()) / 1000;
  return age > 0 ? (100 * cpuTime) / age : 0;
}

function clock(time: Date): string {
  return time.toTimeString().slice(0, 5);
}

function duration(seconds: number): string {
  const whole = Math.floor(seconds);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return parts.map((part) => String(part).padStart(2, '0')).join(':');
}
