// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../../base/errors.ts';
import { rootFromEnvironment } from '../../base/root.ts';
import { createContainer } from '../../core/create-container.ts';
import { takeGiven } from '../../core/head-start.ts';
import { awaitTurn, startContainer, startDetached } from '../../core/run.ts';
import { checkCidFile, writeCidFile } from '../cid-file.ts';
import { defineCommand } from '../command.ts';
import { DETACH_KEYS, parseDetachKeys } from '../detach-keys.ts';
import { runForeground } from '../foreground.ts';
import {
  type ContainerFlags,
  containerOptions,
  declareContainerOptions,
} from '../options/container-options.ts';
import { describeError, type Output } from '../output/index.ts';
import { progressView } from '../output/progress.ts';
import { writeResult } from '../output/result-file.ts';
import { StartupTrace } from '../output/startup-trace.ts';
import { terminalUse } from '../terminal.ts';

interface RunFlags extends ContainerFlags {
  cidfile?: string;
  detach?: true;
  detachKeys: string;
  quiet?: true;
  sigProxy: 'true' | 'false';
  traceStartup?: true;
}

interface RunResult {
  exitCode: number;
  failure: HrunError | undefined;
  /** printed for a container that goes on in the background */
  detachedId: string | undefined;
  trace: StartupTrace | undefined;
}

export const command = defineCommand<RunFlags, RunResult>({
  name: 'run',
  failureExitCode: 125,
  configure: (command) => {
    command
      .description('Run a command in a new container, in a micro-VM of its own.')
      .argument('<image>', 'name, digest or ID of an image; pulled when it is not there')
      .argument('[command...]', "replaces the image's command")
      .passThroughOptions();
    declareContainerOptions(command);
    command
      .option('-d, --detach', 'run in the background and print the ID')
      .option('--detach-keys <keys>', 'keys that leave it running in the background', DETACH_KEYS)
      .option('--cidfile <file>', 'write the ID to a new file')
      .option('--sig-proxy [bool]', 'pass signals on to the process', 'true')
      .option('-q, --quiet', 'show no progress of a pull')
      .option('--trace-startup', 'show on standard error when each stage of the start was reached')
      .addHelpText('after', EXAMPLES);
  },
  run: ([image, ...rest], flags, output) => run(image!, rest, flags, output),
  print({ exitCode, failure, detachedId, trace }, output, { traceStartup }) {
    if (detachedId) output.line(detachedId);
    if (trace && traceStartup) output.progress(trace.text());
    if (trace && process.env.HRUN_TRACE)
      writeResult(process.env.HRUN_TRACE, trace.chromeTrace(), '$HRUN_TRACE');
    if (failure) output.notice(describeError(failure, process.env.HRUN_DEBUG === '1'));
    return exitCode;
  },
});

const EXAMPLES = `
Examples:
  hrun -t ubuntu bash                              a shell
  hrun run --rm debian cat /etc/os-release
  echo hello | hrun run -i --rm busybox cat
  hrun run -d --name db -e POSTGRES_PASSWORD=x -m 2g postgres

Exit code: the command's; 125 when hrun failed, 126 when the command cannot be executed, 127 when it is not there.`;

async function run(image: string, args: string[], flags: RunFlags, output: Output): Promise<RunResult> {
  const root = rootFromEnvironment();
  const trace = flags.traceStartup || process.env.HRUN_TRACE ? new StartupTrace() : undefined;
  const headStart = takeGiven();
  const asked = containerOptions(image, args, flags);
  const detachKeys = parseDetachKeys(flags.detachKeys);
  const { attach } = asked;
  if (attach && flags.detach)
    throw new HrunError('USAGE', '--attach and --detach contradict each other', { hint: 'leave one out' });
  const use = terminalUse({ tty: asked.tty && !flags.detach, stdin: asked.stdin });
  const terminal = attach && !attach.includes('stdin') ? { ...use, stdin: false, raw: false } : use;
  const options = {
    ...asked,
    attach: flags.detach ? [] : attach,
    stdin: asked.stdin || terminal.stdin,
    terminalSize: terminal.size,
    headStart,
  };
  if (flags.cidfile !== undefined) checkCidFile(flags.cidfile);
  const view = progressView(output, flags.quiet);
  const created = await createContainer(root, options, view.report).finally(() => view.finish());
  if (created.remark !== undefined) output.notice(created.remark);
  if (flags.cidfile !== undefined) writeCidFile(flags.cidfile, created.id);
  trace?.mark('container made');
  if (flags.detach) {
    await startDetached(root, created);
    return { exitCode: 0, failure: undefined, detachedId: created.id, trace };
  }
  const ready = await awaitTurn(root, created);
  const end = await runForeground(
    created,
    {
      ...{ tty: options.tty, terminal, terminalSize: terminal.size },
      ...{ signalProxy: flags.sigProxy !== 'false', detachKeys, attach },
      trace: (stage, time) => trace?.stage(stage, time),
    },
    (streams, events) => startContainer(root, ready, streams, events),
  );
  if (!end.started && end.failure) throw end.failure;
  return { exitCode: end.exitCode, failure: end.failure, detachedId: undefined, trace };
}
