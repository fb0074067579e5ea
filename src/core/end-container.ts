// SPDX-License-Identifier: Apache-2.0
// Everything that asks a running container's monitor for something and needs none of its streams.
import type { Socket } from 'node:net';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { errnoOf, HrunError, hasCode } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import { readState, recordContainer } from '../container/index.ts';
import { type ExitStatus, Session, type SessionEvents } from '../guest/index.ts';
import { connectMonitor, isHeld } from '../vm/index.ts';
import { isRunning, openContainer, openRunning } from './open-container.ts';
import { sessionFailure } from './session-failure.ts';
import { signalNumber } from './signal-number.ts';

const DEFAULT_TIMEOUT_S = 10;
const FOR_EVER_MS = 0xffff_ffff;
const ATTEMPTS = 100;
const PAUSE_MS = 20;
const MAX_TIMEOUT_S = 4_000_000;

export interface StopOptions {
  /** name or number; by default the container's own */
  signal?: string | undefined;
  /** seconds until SIGKILL, -1 for ever; by default the container's own, else 10 */
  timeout?: number | undefined;
  /** seconds until SIGKILL at most, whatever the container says */
  limit?: number | undefined;
  /** only because the host goes down: it is to run again afterwards */
  forHost?: boolean;
}

/** Ends a container as `docker stop` does and waits until it has ended. One that does not run is fine. */
export async function stopContainer(root: Root, text: string, options: StopOptions = {}): Promise<void> {
  const container = await openContainer(root, text);
  const { stopSignal, stopTimeout } = container.config.process;
  const signal = options.signal === undefined ? stopSignal : signalNumber(options.signal);
  const milliseconds = limitMs(options.timeout ?? stopTimeout ?? DEFAULT_TIMEOUT_S, options.limit);
  const end = () => untilEnded(container.directory, (session) => session.stop(signal, milliseconds, options));
  if (!isRunning(container.state)) return void (await end());
  recordContainer(root, container.config, 'kill', { signal: String(signal) });
  await end();
  recordContainer(root, container.config, 'stop');
}

function limitMs(seconds: number, most = Number.POSITIVE_INFINITY): number {
  const wanted = seconds < 0 ? most : Math.min(seconds, most, MAX_TIMEOUT_S);
  return Number.isFinite(wanted) ? wanted * 1000 : FOR_EVER_MS;
}

/** Sends a signal to a running container's process; SIGKILL ends it, whatever it does, and is waited for. */
export async function killContainer(root: Root, text: string, signal = 'SIGKILL'): Promise<void> {
  const number = signalNumber(signal);
  const { directory, config } = await openRunning(root, text);
  recordContainer(root, config, 'kill', { signal: String(number) });
  if (number === constants.signals.SIGKILL) return await endContainer(directory, number, 0);
  await askMonitor(directory, (session) => {
    session.signal(number);
    session.end();
  });
}

/** Lets a container's processes stand still, or go on. */
export async function pauseContainer(root: Root, text: string, paused: boolean): Promise<void> {
  const { directory, state, config } = await openRunning(root, text);
  if (paused === (state.status === 'paused')) {
    throw new HrunError('CONTAINER_STATE', `container ${text} is ${paused ? 'already' : 'not'} paused`);
  }
  await askMonitor(
    directory,
    (session) => session.pause(paused),
    (resolve) => ({ paused: resolve }),
  );
  recordContainer(root, config, paused ? 'pause' : 'unpause');
}

/** Waits until a container has ended; at once if it does not run. Resolves to its exit code. */
export async function waitForContainer(root: Root, text: string): Promise<number> {
  const { directory, state } = await openContainer(root, text);
  const gone = await untilGone(directory);
  return gone?.code ?? readState(directory)?.exitCode ?? state.exitCode;
}

/** Ends a container: `signal`, then SIGKILL after `milliseconds`. Resolves when its monitor has let go of it. */
export async function endContainer(directory: string, signal: number, milliseconds: number): Promise<void> {
  await untilEnded(directory, (session) => session.stop(signal, milliseconds));
}

/** Asked just after its process has ended, a container may still run again by its policy: then that run is asked, too. */
async function untilEnded(directory: string, ask: (session: Session) => void): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    await untilGone(directory, ask);
    if (!isHeld(directory)) return;
    await sleep(PAUSE_MS);
  }
}

/** Resolves when the monitor has let go of a container, to how that ended; undefined when there is no monitor (any more). */
export async function untilGone(
  directory: string,
  ask: (session: Session) => void = () => {},
): Promise<ExitStatus | undefined> {
  return await askMonitor(directory, ask, (resolve) => ({ gone: resolve }));
}

/** Asks a container's monitor and resolves to its answer; undefined when there is no monitor, or it went away. */
async function askMonitor<T>(
  directory: string,
  ask: (session: Session) => void,
  answer: (resolve: (value: T) => void) => Partial<SessionEvents> = () => ({}),
): Promise<T | undefined> {
  const socket = await connected(directory);
  if (!socket) return undefined;
  return await new Promise<T | undefined>((resolve, reject) => {
    const session = new Session(socket, {
      output: () => {},
      error: (error) => session.close(sessionFailure(error)),
      close: (cause) => (cause instanceof HrunError ? reject(cause) : resolve(undefined)),
      ...answer((value) => {
        resolve(value);
        session.close();
      }),
    });
    ask(session);
  });
}

async function connected(directory: string): Promise<Socket | undefined> {
  try {
    return await connectMonitor(directory);
  } catch (error) {
    if (hasCode(error, 'CONTAINER_STATE') || errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
