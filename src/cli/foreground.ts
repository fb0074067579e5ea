// SPDX-License-Identifier: Apache-2.0
import { constants } from 'node:os';
import { HrunError } from '../base/errors.ts';
import type { AttachEvents, AttachStreams } from '../core/attach.ts';
import type { StandardStream, TerminalSize } from '../core/container-options.ts';
import type { KnownContainer } from '../core/open-container.ts';
import type { RunEnd, RunningContainer } from '../core/run.ts';
import { DetachKeys } from './detach-keys.ts';
import { Interrupts } from './interrupts.ts';
import { enterRawMode, type TerminalUse, watchWindow, windowSize } from './terminal.ts';

export interface ForegroundOptions {
  tty: boolean;
  terminal: TerminalUse;
  /** what its terminal was made with; undefined for one that is there already */
  terminalSize?: TerminalSize | undefined;
  /** pass signals on to the container's process */
  signalProxy: boolean;
  /** typed one after the other they leave the container alone; empty for none */
  detachKeys: readonly number[];
  /** which of the outputs to join; undefined is both */
  attach?: readonly StandardStream[] | undefined;
  trace?(stage: number, timeNs: bigint): void;
}

/** Starts the container, or joins it. */
export type Launch = (
  streams: AttachStreams,
  events: AttachEvents,
) => RunningContainer | Promise<RunningContainer>;

/** Milliseconds that a process whose output nobody reads has from its stop signal to SIGKILL. */
const BROKEN_PIPE_GRACE_MS = 1000;
const LEFT_RUNNING_EXIT = 1;
const HUNG_UP_EXIT = 128 + constants.signals.SIGHUP;

/** Joins a container to this process's terminal and standard streams; resolves when it has ended, or was left. */
export async function runForeground(
  { name, config }: Pick<KnownContainer, 'name' | 'config'>,
  options: ForegroundOptions,
  launch: Launch,
): Promise<RunEnd> {
  using resources = new DisposableStack();
  const { tty, terminal } = options;
  const left = Promise.withResolvers<RunEnd>();
  const giveUp = () => left.resolve(goesOn(name));
  const interrupts = options.signalProxy ? resources.use(new Interrupts(giveUp)) : undefined;
  const streams = standardStreams(options, () => attachment.leave());
  const { attachment, ended, resize } = await launch(streams, {
    ...(options.trace && { trace: options.trace }),
    started: () => {
      interrupts?.started();
      resources.use(tty ? followWindow(options.terminalSize, resize) : undefined);
    },
    input: (bytes) => terminal.raw && interrupts?.typed(bytes),
    inputEnded: () => terminal.raw && hangUp(),
    outputBroken: () => (terminal.raw ? hangUp() : stopUnread()),
  });
  const { session } = attachment;
  const stopUnread = () => session.stop(config.process.stopSignal, BROKEN_PIPE_GRACE_MS);
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

/**
 * Passes changes of the window on, with one that came while the VM was booting. A terminal that was there already, its size not
 * `known`, gets one row more or less for a moment, as Docker does: its process draws itself anew only when the size changes.
 */
export function followWindow(
  known: TerminalSize | undefined,
  resize: (size: TerminalSize) => void,
): Disposable {
  const now = windowSize();
  if (now && !known) resize({ ...now, rows: now.rows ^ 1 });
  if (now && (now.rows !== known?.rows || now.columns !== known?.columns)) resize(now);
  return watchWindow(resize);
}

/** Streams are opened only when used: each costs start-up time. */
export function standardStreams(
  {
    tty,
    terminal,
    detachKeys,
    attach,
  }: Pick<ForegroundOptions, 'tty' | 'terminal' | 'detachKeys' | 'attach'>,
  detached: () => void,
): AttachStreams {
  const watched = terminal.raw && detachKeys.length > 0;
  const joins = (stream: 'stdout' | 'stderr') => attach?.includes(stream) ?? true;
  return {
    stdin: watched ? typed(detachKeys, detached) : terminal.stdin ? process.stdin : undefined,
    stdout: joins('stdout') ? process.stdout : undefined,
    stderr: !tty && joins('stderr') ? process.stderr : undefined,
  };
}

/** What is typed, up to the keys that detach. */
function typed(detachKeys: readonly number[], detached: () => void): DetachKeys {
  const left = () => {
    process.stderr.write('read escape sequence\r\n'); // as Docker; the terminal is raw
    detached();
  };
  const keys = process.stdin.pipe(new DetachKeys(detachKeys, left));
  keys.on('close', () => process.stdin.destroy());
  return keys;
}
