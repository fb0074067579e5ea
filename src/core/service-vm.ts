// SPDX-License-Identifier: Apache-2.0
// A way to a container's agent, whether its process runs or not: docs/monitor.md, "Service".
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { HrunError, hasCode } from '../base/errors.ts';
import { readState } from '../container/index.ts';
import { AGENT_PORT, Session } from '../guest/index.ts';
import {
  connectGuest,
  connectMonitor,
  findAssets,
  isHeld,
  monitorLastWords,
  startMonitor,
} from '../vm/index.ts';
import { isRunning, type KnownContainer } from './open-container.ts';
import { sessionFailure } from './session-failure.ts';
import { renewAssets } from './start-container.ts';

/** A container's agent, to be connected to as often as needed until it is disposed. */
export interface Guest extends AsyncDisposable {
  connect(): Promise<Socket>;
}

const ATTEMPTS = 100;
const PAUSE_MS = 100;
/** A VM that did not start may have found another command's, which has gone since. */
const START_ATTEMPTS = 3;

/**
 * The agent of a running container, or of a VM that is started for the files of one that does not run. Several commands may
 * use that VM at once; the last one ends it. VM_FAILED when it does not start.
 */
export async function openGuest(container: KnownContainer): Promise<Guest> {
  const { directory } = container;
  let failures = 0;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const state = readState(directory) ?? container.state;
    if (isRunning(state)) return runningGuest(directory);
    // One that starts, or starts again, will be running or not.
    try {
      const guest = state.status === 'starting' ? undefined : await serviceGuest(container);
      if (guest) return guest;
    } catch (error) {
      failures += 1;
      if (!hasCode(error, 'VM_FAILED') || failures === START_ATTEMPTS) throw error;
    }
    await sleep(PAUSE_MS);
  }
  throw new HrunError('CONTAINER_STATE', `container ${container.name} is being started or stopped`, {
    hint: 'try again',
  });
}

function runningGuest(directory: string): Guest {
  return { connect: () => connectGuest(directory, AGENT_PORT), [Symbol.asyncDispose]: async () => {} };
}

/** Joins the VM that serves the container already, or starts one; undefined when somebody else was faster. */
async function serviceGuest(container: KnownContainer): Promise<Guest | undefined> {
  const { directory } = container;
  const joined = await connectIfThere(directory);
  const session = await attach(directory, joined ?? (await startService(container)), joined !== undefined);
  if (!session) return undefined;
  return {
    connect: () => connectGuest(directory, AGENT_PORT),
    [Symbol.asyncDispose]: async () => {
      session.close();
      await untilFree(directory);
    },
  };
}

async function startService(container: KnownContainer): Promise<Duplex> {
  const assets = findAssets();
  await renewAssets(container, assets);
  return startMonitor(assets.monitor, container.directory, { service: true });
}

async function connectIfThere(directory: string): Promise<Socket | undefined> {
  try {
    return await connectMonitor(directory);
  } catch (error) {
    if (hasCode(error, 'CONTAINER_STATE')) return undefined;
    throw error;
  }
}

/** Resolves once the guest serves; undefined when the monitor is another's, or was about to go. */
async function attach(directory: string, connection: Duplex, joined: boolean): Promise<Session | undefined> {
  return await new Promise<Session | undefined>((resolve, reject) => {
    const session: Session = new Session(connection, {
      output: () => {},
      started: () => resolve(session),
      exit: () => resolve(undefined),
      error: (error) => reject(sessionFailure(error)),
      close: (cause) => {
        if (joined || isHeld(directory)) resolve(undefined);
        else reject(cause ?? serviceFailed(directory));
      },
    });
    session.attach(0);
  });
}

function serviceFailed(directory: string): HrunError {
  return new HrunError('VM_FAILED', `the VM for the container's files ended: ${monitorLastWords(directory)}`);
}

/** Waits until the disk is written and let go of, unless another command still uses the VM: one that ends lets nobody join. */
async function untilFree(directory: string): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS && isHeld(directory); attempt++) {
    const other = attempt > ATTEMPTS / 10 ? await connectIfThere(directory) : undefined;
    other?.destroy();
    if (other) return;
    await sleep(PAUSE_MS / 5);
  }
}
