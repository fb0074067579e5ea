// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../../base/errors.ts';
import { type Root, rootFromEnvironment } from '../../base/root.ts';
import { openToRestore } from '../../core/checkpoints.ts';
import { openContainer } from '../../core/open-container.ts';
import { attachContainer, awaitTurn, startContainer, startDetached } from '../../core/run.ts';
import { openToStart, startInBackground } from '../../core/start-container.ts';
import { defineCommand } from '../command.ts';
import { DETACH_KEYS, parseDetachKeys } from '../detach-keys.ts';
import { eachOperand } from '../each-operand.ts';
import { runForeground } from '../foreground.ts';
import { describeError } from '../output/index.ts';
import { terminalUse } from '../terminal.ts';

interface StartOptions {
  attach?: true;
  interactive?: true;
  detachKeys: string;
  sigProxy: 'true' | 'false';
  checkpoint?: string;
  checkpointDir?: string;
}

export const command = defineCommand<StartOptions, number>({
  name: 'start',
  configure: (command) =>
    command
      .description('Start containers that were made or have ended.')
      .argument('<container...>', 'names or IDs')
      .option('-a, --attach', 'show its output, and wait for its end')
      .option('-i, --interactive', 'attach standard input')
      .option('--checkpoint <name>', 'go on from this checkpoint of it')
      .option('--checkpoint-dir <directory>', 'where the checkpoint is, instead of with the container')
      .option('--detach-keys <keys>', 'keys that leave it running in the background', DETACH_KEYS)
      .option('--sig-proxy [bool]', 'pass signals on to the process', 'true'),
  async run(operands, options, output) {
    const root = rootFromEnvironment();
    if (options.checkpointDir !== undefined && options.checkpoint === undefined) {
      throw new HrunError('USAGE', '--checkpoint-dir means nothing without --checkpoint', {
        hint: 'say which checkpoint',
      });
    }
    if (options.checkpoint !== undefined && operands.length > 1) {
      throw new HrunError('USAGE', 'only one container can go on from a checkpoint', {
        hint: 'start the others without --checkpoint',
      });
    }
    if (!options.attach && !options.interactive) {
      if (options.checkpoint !== undefined) return await restoreInBackground(root, operands[0]!, options);
      return await eachOperand(operands, output, (text) => startInBackground(root, text));
    }
    if (operands.length > 1) {
      throw new HrunError('USAGE', 'only one container can be attached to', { hint: 'leave out -a and -i' });
    }
    const { exitCode, failure } = await startAttached(root, operands[0]!, options);
    if (failure) output.notice(describeError(failure, process.env.HRUN_DEBUG === '1'));
    return exitCode;
  },
  print: (exitCode) => exitCode,
});

/** Prints nothing, as Docker. */
async function restoreInBackground(root: Root, text: string, options: StartOptions): Promise<number> {
  await startDetached(root, await openToRestore(root, text, options.checkpoint!, options));
  return 0;
}

/** One that runs already is only attached to. */
async function startAttached(root: Root, text: string, options: StartOptions) {
  const { checkpoint } = options;
  const container =
    checkpoint === undefined
      ? await openToStart(root, text)
      : await openToRestore(root, text, checkpoint, options);
  const known = await openContainer(root, text);
  const { tty, stdin } = known.config.process;
  const ready = container === 'running' ? container : await awaitTurn(root, container);
  const terminal = terminalUse({ tty, stdin: stdin && options.interactive === true });
  const detachKeys = parseDetachKeys(options.detachKeys);
  const foreground = { tty, terminal, signalProxy: options.sigProxy !== 'false', detachKeys };
  return await runForeground(known, foreground, async (streams, events) =>
    ready === 'running'
      ? await attachContainer(root, known, streams, events)
      : startContainer(root, ready, streams, events),
  );
}
