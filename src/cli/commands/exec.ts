// SPDX-License-Identifier: Apache-2.0
import { type Root, rootFromEnvironment } from '../../base/root.ts';
import { type ExecEnd, type ExecOptions, execInContainer } from '../../core/exec.ts';
import { defineCommand } from '../command.ts';
import { DETACH_KEYS, parseDetachKeys } from '../detach-keys.ts';
import { followWindow, standardStreams } from '../foreground.ts';
import { collect } from '../option.ts';
import { parseEnvironment } from '../options/environment.ts';
import { describeError } from '../output/index.ts';
import { enterRawMode, terminalUse } from '../terminal.ts';

interface ExecFlags {
  detach?: true;
  detachKeys: string;
  env: string[];
  envFile: string[];
  interactive?: true;
  privileged?: true;
  tty?: true;
  user?: string;
  workdir?: string;
}

export const command = defineCommand<ExecFlags, ExecEnd>({
  name: 'exec',
  failureExitCode: 1,
  configure: (command) =>
    command
      .description('Run another command in a running container.')
      .argument('<container>', 'name or ID')
      .argument('<command...>', 'the command and its arguments')
      .passThroughOptions()
      .option('-d, --detach', 'run it in the background')
      .option('--detach-keys <keys>', 'keys that leave it running in the background', DETACH_KEYS)
      .option('-e, --env <NAME[=VALUE]>', 'set a variable', collect, [])
      .option('--env-file <file>', 'read variables from a file', collect, [])
      .option('-i, --interactive', 'keep standard input open')
      .option('--privileged', 'with all capabilities')
      .option('-t, --tty', 'give it a terminal; on a terminal also attach standard input')
      .option('-u, --user <user[:group]>', 'user, by name or number')
      .option('-w, --workdir <path>', 'working directory')
      .addHelpText('after', EXAMPLES),
  run: ([container, ...args], flags) => exec(rootFromEnvironment(), container!, args, flags),
  print({ exitCode, failure }, output) {
    if (failure) output.notice(describeError(failure, process.env.HRUN_DEBUG === '1'));
    return exitCode;
  },
});

const EXAMPLES = `
Examples:
  hrun exec -t db bash
  hrun exec db pg_dump -U postgres app > app.sql
  hrun exec -i db psql -U postgres < app.sql

Exit code: the command's; 126 when it cannot be executed, 127 when it is not there, 1 when the container does not run.`;

async function exec(root: Root, container: string, args: string[], flags: ExecFlags): Promise<ExecEnd> {
  const terminal = terminalUse({
    tty: flags.tty === true && !flags.detach,
    stdin: flags.interactive === true,
  });
  const options = execOptions(args, flags);
  const detachKeys = parseDetachKeys(flags.detachKeys);
  using resources = new DisposableStack();
  const started = Promise.withResolvers<ExecEnd>();
  const streams = flags.detach
    ? {}
    : standardStreams({ tty: options.tty, terminal, detachKeys }, () => detach());
  const { attachment, ended, detach } = await execInContainer(
    root,
    container,
    { ...options, stdin: terminal.stdin, terminalSize: terminal.size },
    streams,
    {
      started: () => {
        if (options.tty && !flags.detach)
          resources.use(followWindow(terminal.size, (size) => attachment.session.resize(size)));
        if (flags.detach) started.resolve({ exitCode: 0, failure: undefined, started: true });
      },
      outputBroken: () => attachment.leave(),
    },
  );
  if (terminal.raw) resources.use(enterRawMode());
  const end = await Promise.race([ended, started.promise]);
  attachment.leave();
  if (!end.started && end.failure) throw end.failure;
  return end;
}

function execOptions(command: string[], flags: ExecFlags): ExecOptions {
  return {
    command,
    tty: flags.tty === true,
    stdin: flags.interactive === true,
    detach: flags.detach === true,
    env: parseEnvironment(flags.env, flags.envFile),
    workingDir: flags.workdir,
    user: flags.user,
    privileged: flags.privileged === true,
    terminalSize: undefined,
  };
}
