// SPDX-License-Identifier: Apache-2.0
import { constants } from 'node:os';
import { HrunError } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import type { Session } from '../core/attach.ts';
import type { TerminalSize } from '../core/container-options.ts';
import type { CreatedContainer } from '../core/create-container.ts';
import { type RunEnd, startContainer } from '../core/run.ts';
import { Interrupts } from './interrupts.ts';
import { enterRawMode, type TerminalUse, watchWindow, windowSize } from './terminal.ts';

export interface ForegroundOptions {
  tty: boolean;
  terminal: TerminalUse;
  /** pass signals on to the container's process */
  signalProxy: boolean;
  trace(stage: number, timeNs: bigint): void;
}

/** Milliseconds that a process whose output nobody reads has from its stop signal to SIGKILL. */
const BROKEN_PIPE_GRACE_MS = 1000;
const LEFT_RUNNING_EXIT = 1;
const HUNG_UP_EXIT = 128 + constants.signals.SIGHUP;

/** Starts a container on this process's terminal and standard streams; resolves when it has ended. */
export async function runForeground(
  root: Root,
  created: CreatedContainer,
  options: ForegroundOptions,
): Promise<RunEnd> {
  using resources = new DisposableStack();
  const { tty, terminal } = options;
  const left = Promise.withResolvers<RunEnd>();
  const giveUp = () => left.resolve(goesOn(created.name));
  const interrupts = options.signalProxy ? resources.use(new Interrupts(giveUp)) : undefined;
  const { attachment, ended } = startContainer(root, created, standardStreams(options), {
    trace: options.trace,
    started: () => {
      interrupts?.started();
      resources.use(tty ? followWindow(terminal.size, attachment.session) : undefined);
    },
    input: (bytes) => terminal.raw && interrupts?.typed(bytes),
    inputEnded: () => terminal.raw && hangUp(),
    outputBroken: () => (terminal.raw ? hangUp() : stopUnread()),
  });
  const { session } = attachment;
  const stopUnread = () => session.stop(created.config.process.stopSignal, BROKEN_PIPE_GRACE_MS);
  const hangUp = () => {
    session.signal(constants.signals.SIGHUP);
    left.resolve({ exitCode: HUNG_UP_EXIT, failure: undefined, started: attachment.started });
  };
  interrupts?.connect(session);
  if (terminal.raw) resources.use(enterRawMode());
  const end = await Promise.race([ended, left.promise]);
  attachment.leave();
  const endedBy = interrupts?.startEndedBy;
  return endedBy === undefined ? end : { exitCode: endedBy, failure: undefined, started: false };
}

/** The process ignores what should end it. */
function goesOn(name: string): RunEnd {
  const failure = new HrunError('CONTAINER_STATE', `container ${name} ignores the signal and goes on`, {
    hint: `to end it: hrun rm -f ${name}`,
  });
  return { exitCode: LEFT_RUNNING_EXIT, failure, started: true };
}

/** Passes changes of the window on, with one that came while the VM was booting. */
function followWindow(known: TerminalSize | undefined, session: Session): Disposable {
  const now = windowSize();
  if (now && (now.rows !== known?.rows || now.columns !== known?.columns)) session.resize(now);
  return watchWindow((size) => session.resize(size));
}

/** Streams are opened only when used: each costs start-up time. */
function standardStreams({ tty, terminal }: ForegroundOptions) {
  return {
    stdin: terminal.stdin ? process.stdin : undefined,
    stdout: process.stdout,
    stderr: tty ? undefined : process.stderr,
  };
}
