// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../../base/errors.ts';
import { rootFromEnvironment } from '../../base/root.ts';
import { openRunning } from '../../core/open-container.ts';
import { attachContainer, type RunEnd } from '../../core/run.ts';
import { defineCommand } from '../command.ts';
import { DETACH_KEYS, parseDetachKeys } from '../detach-keys.ts';
import { runForeground } from '../foreground.ts';
import { describeError } from '../output/index.ts';
import { terminalUse } from '../terminal.ts';

interface AttachOptions {
  detachKeys: string;
  sigProxy: 'true' | 'false';
  stdin: boolean;
}

export const command = defineCommand<AttachOptions, RunEnd>({
  name: 'attach',
  configure: (command) =>
    command
      .description("Join this terminal to a running container's process.")
      .argument('<container>', 'name or ID')
      .option('--detach-keys <keys>', 'keys that leave it running in the background', DETACH_KEYS)
      .option('--no-stdin', 'do not attach standard input')
      .option('--sig-proxy [bool]', 'pass signals on to the process', 'true'),
  async run([text], options) {
    const root = rootFromEnvironment();
    const container = await openRunning(root, text!);
    if (container.state.status === 'paused') {
      throw new HrunError('CONTAINER_STATE', 'cannot attach to a paused container', {
        hint: `first: hrun unpause ${text}`,
      });
    }
    const { tty, stdin } = container.config.process;
    const terminal = terminalUse({ tty, stdin: stdin && options.stdin });
    if (!options.stdin) Object.assign(terminal, { stdin: false, raw: false });
    const detachKeys = parseDetachKeys(options.detachKeys);
    const foreground = { tty, terminal, signalProxy: options.sigProxy !== 'false', detachKeys };
    return await runForeground(container, foreground, (streams, events) =>
      attachContainer(root, container, streams, events),
    );
  },
  print({ exitCode, failure }, output) {
    if (failure) output.notice(describeError(failure, process.env.HRUN_DEBUG === '1'));
    return exitCode;
  },
});
