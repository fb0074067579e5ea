// SPDX-License-Identifier: Apache-2.0
// What a command does to the files below a directory, system call by system call: strace sees every thread and every
// child, the converter's native threads too. A call that could change a file and is not understood is an error.
import { readFile } from 'node:fs/promises';
import { execa } from 'execa';

/** A completed system call. `begun` is the number of operations completed before it began. */
export type Operation = { begun: number } & (
  | { kind: 'open'; fd: number; path: string; create: boolean; truncate: boolean; append: boolean }
  | { kind: 'write'; fd: number; path: string; offset: number | undefined; data: Buffer }
  | { kind: 'copy'; from: string; fromOffset: number; path: string; offset: number; length: number }
  | { kind: 'seek'; fd: number; path: string; offset: number }
  | { kind: 'truncate'; path: string; size: number }
  | { kind: 'punch'; path: string; offset: number; length: number }
  | { kind: 'sync'; path: string }
  | { kind: 'mkdir'; path: string }
  | { kind: 'symlink'; target: string; path: string }
  | { kind: 'rename'; from: string; to: string }
  | { kind: 'unlink'; path: string }
);

export interface Traced {
  exitCode: number;
  stderr: string;
  operations: Operation[];
}

const CALLS = [
  ...['open', 'openat', 'creat', 'write', 'pwrite64', 'writev', 'pwritev', 'pwritev2', 'lseek', 'truncate'],
  ...[
    'ftruncate',
    'fallocate',
    'copy_file_range',
    'sendfile',
    'splice',
    'ioctl',
    'fsync',
    'fdatasync',
    'sync',
  ],
  ...[
    'syncfs',
    'sync_file_range',
    'rename',
    'renameat',
    'renameat2',
    'link',
    'linkat',
    'symlink',
    'symlinkat',
  ],
  ...['unlink', 'unlinkat', 'mkdir', 'mkdirat', 'rmdir', 'mknod', 'mknodat', 'mmap', 'io_submit'],
  'io_uring_setup',
];

/** Undefined when processes can be traced here, else why not. */
export async function tracingProblem(): Promise<string | undefined> {
  const { failed, message } = await execa('strace', ['-f', '-o', '/dev/null', 'true'], { reject: false });
  return failed ? message?.split('\n')[0] : undefined;
}

/** Where operations are of interest. */
export interface Scope {
  directory: string;
  /** a part of it where they are not */
  except?: string | undefined;
}

/** Runs a program and returns what it did in the scope; the log goes to `logFile`. */
export async function traceProgram(
  scope: Scope,
  logFile: string,
  [program, ...args]: readonly [string, ...string[]],
  env: NodeJS.ProcessEnv,
): Promise<Traced> {
  const options = ['-f', '-y', '-xx', '-s', String(2 ** 24), '--seccomp-bpf', '-o', logFile];
  const command = [...options, '-e', `trace=${CALLS.join(',')}`, '--', program, ...args];
  const { exitCode = -1, stderr } = await execa('strace', command, { env, reject: false });
  const lines = (await readFile(logFile, 'latin1')).split('\n');
  return { exitCode, stderr, operations: [...parseLog(lines, scope)] };
}

interface Call {
  name: string;
  args: string[];
  result: number;
  begun: number;
}

function* parseLog(lines: readonly string[], scope: Scope): Generator<Operation> {
  const unfinished = new Map<string, { text: string; begun: number }>();
  let count = 0;
  for (const line of lines) {
    const [, pid = '', text = ''] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const cut = / <unfinished \.\.\.>$/.exec(text);
    if (cut) {
      unfinished.set(pid, { text: text.slice(0, cut.index), begun: count });
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>/.exec(text);
    const start = resumed ? unfinished.get(pid) : undefined;
    const call = parseCall(start ? start.text + text.slice(resumed![0].length) : text, start?.begun ?? count);
    for (const operation of call ? operationsOf(call) : []) {
      if (!concerns(operation, scope)) continue;
      count += 1;
      yield operation;
    }
  }
}

/** Undefined for what failed, and for what is no call. */
function parseCall(text: string, begun: number): Call | undefined {
  const [, name, args, result] = /^(\w+)\((.*)\) += (-?\d+|0x[0-9a-f]+)/s.exec(text) ?? [];
  if (name === undefined || result!.startsWith('-')) return undefined;
  return { name, args: args!.split(', '), result: Number(result), begun };
}

function operationsOf({ name, args, result, begun }: Call): Operation[] {
  const [a = '', b = '', c = '', d = ''] = args;
  const fd = Number.parseInt(a, 10);
  switch (name) {
    case 'openat':
      return [{ kind: 'open', begun, fd: result, path: textOf(b, a), ...openFlags(c) }];
    case 'open':
      return [{ kind: 'open', begun, fd: result, path: textOf(a), ...openFlags(b) }];
    case 'write':
      return [{ kind: 'write', begun, fd, path: fdPath(a), offset: undefined, data: written(b, result) }];
    case 'pwrite64':
      return [{ kind: 'write', begun, fd, path: fdPath(a), offset: Number(d), data: written(b, result) }];
    case 'writev':
    case 'pwritev':
      return [vectorWrite(name, args, result, begun)];
    case 'lseek':
      return [{ kind: 'seek', begun, fd, path: fdPath(a), offset: result }];
    case 'ftruncate':
      return [{ kind: 'truncate', begun, path: fdPath(a), size: Number(b) }];
    case 'fallocate':
      if (!b.includes('PUNCH_HOLE')) break;
      return [{ kind: 'punch', begun, path: fdPath(a), offset: Number(c), length: Number(d) }];
    case 'copy_file_range':
      return [
        {
          ...{ kind: 'copy', begun, from: fdPath(a), fromOffset: before(b), path: fdPath(c) },
          ...{ offset: before(d), length: result },
        },
      ];
    case 'fsync':
    case 'fdatasync':
      return [{ kind: 'sync', begun, path: fdPath(a) }];
    case 'rename':
      return [{ kind: 'rename', begun, from: textOf(a), to: textOf(b) }];
    case 'symlink':
      return [{ kind: 'symlink', begun, target: hexText(a), path: textOf(b) }];
    case 'unlink':
    case 'rmdir':
      return [{ kind: 'unlink', begun, path: textOf(a) }];
    case 'unlinkat':
      return [{ kind: 'unlink', begun, path: textOf(b, a) }];
    case 'mkdir':
      return [{ kind: 'mkdir', begun, path: textOf(a) }];
    case 'mmap':
      if (!args.some((arg) => arg.includes('MAP_SHARED')) || !args.some((arg) => arg.includes('PROT_WRITE')))
        return [];
      break;
    case 'io_uring_setup':
      if (!args.some((arg) => /\bIORING_SETUP_SQPOLL\b/.test(arg))) return []; // libuv's other ring is for epoll
      break;
    case 'ioctl':
      if (!b.startsWith('FICLONE')) return [];
      break;
  }
  return [notUnderstood(name, args)];
}

/** Only an error when it concerns the directory: it carries the paths it names. */
function notUnderstood(name: string, args: string[]): Operation {
  const path = args.map((arg) => (arg.includes('<') ? fdPath(arg) : hexText(arg))).join(' ');
  return { kind: 'unlink', begun: -1, path: `${name} ${path}` };
}

function concerns(operation: Operation, { directory, except }: Scope): boolean {
  const paths = operation.kind === 'rename' ? [operation.from, operation.to] : [operation.path];
  if (operation.begun < 0) {
    if (/^io_/.test(paths[0]!) || paths[0]!.includes(directory))
      throw new Error(`not understood: ${paths[0]}`);
    return false;
  }
  const isIn = (path: string, place: string) => path === place || path.startsWith(`${place}/`);
  return paths.some((path) => isIn(path, directory) && !(except !== undefined && isIn(path, except)));
}

function vectorWrite(name: string, args: string[], result: number, begun: number): Operation {
  const data = Buffer.concat(
    args.filter((arg) => /iov_base=/.test(arg)).map((arg) => bytesOf(arg.slice(arg.indexOf('iov_base=')))),
  );
  const offset = name === 'pwritev' ? Number(args.at(-1)) : undefined;
  const [first = ''] = args;
  const fd = Number.parseInt(first, 10);
  return { kind: 'write', begun, fd, path: fdPath(first), offset, data: data.subarray(0, result) };
}

function openFlags(flags: string) {
  return {
    create: flags.includes('O_CREAT'),
    truncate: flags.includes('O_TRUNC'),
    append: flags.includes('O_APPEND'),
  };
}

function written(arg: string, length: number): Buffer {
  const data = bytesOf(arg);
  if (data.length < length) throw new Error(`the log holds ${data.length} of ${length} bytes`);
  return data.subarray(0, length);
}

function bytesOf(arg: string): Buffer {
  const [, hex = ''] = /"((?:\\x[0-9a-f]{2})*)"/.exec(arg) ?? [];
  return Buffer.from(hex.replaceAll('\\x', ''), 'hex');
}

function hexText(arg: string): string {
  return bytesOf(arg).toString();
}

/** A path as it was given; a relative one is taken from the directory descriptor that strace shows. */
function textOf(arg: string, directory = ''): string {
  const path = hexText(arg);
  return path.startsWith('/') || directory === '' ? path : `${fdPath(directory)}/${path}`;
}

/** The path of a descriptor, `5<\x2f\x74…>`. */
function fdPath(arg: string): string {
  const [, hex = ''] = /<((?:\\x[0-9a-f]{2})+)>/.exec(arg) ?? [];
  return Buffer.from(hex.replaceAll('\\x', ''), 'hex').toString();
}

/** An offset that is passed by address: `[4096]` or `[4096 => 8192]`. */
function before(arg: string): number {
  const [, text] = /^\[(\d+)/.exec(arg) ?? [];
  if (text === undefined) throw new Error(`no offset in ${arg}`);
  return Number(text);
}
