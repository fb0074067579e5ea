// SPDX-License-Identifier: Apache-2.0
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { errnoOf, HrunError } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import {
  type ContainerConfig,
  recordContainer,
  releaseName,
  removeContainer,
  repairContainer,
  repairContainers,
} from '../container/index.ts';
import { connectMonitor, isHeld, monitorLastWords, startMonitor } from '../vm/index.ts';
import { recordVolume } from '../volume/index.ts';
import { type AttachEnd, type AttachEvents, Attachment, type AttachStreams } from './attach.ts';
import { enterCni, sweepCni } from './cni.ts';
import type { TerminalSize } from './container-options.ts';
import type { CreatedContainer } from './create-container.ts';
import { leaveNetworks, sweepNetworks } from './join-networks.ts';
import type { KnownContainer } from './open-container.ts';
import { monitorDied, sessionFailure } from './session-failure.ts';
import { takeTurn } from './start-turn.ts';
import { findOrigin } from './templates.ts';
import { removeTiedVolumes } from './volumes.ts';

/** A container whose standard streams are joined to this process's. */
export interface RunningContainer {
  attachment: Attachment;
  /** Gives its terminal another size. */
  resize(size: TerminalSize): void;
  /** Resolves when the container has ended and what it left behind is in order, or this side left it. */
  ended: Promise<RunEnd>;
}

/** How a run ended. */
export interface RunEnd {
  /** of the command; 137 when its VM died under it, 141 when nobody read its output */
  exitCode: number;
  /** why that is not the command's own exit code */
  failure: HrunError | undefined;
  /** the command never ran: `failure` says why */
  started: boolean;
}

/** A container that can be started: new, or stopped. */
export type StartableContainer = Pick<
  CreatedContainer,
  'id' | 'name' | 'directory' | 'config' | 'assets' | 'pool' | 'release'
> & {
  /** directory of the checkpoint that it goes on from */
  checkpoint?: string;
};

const REFILL_DELAY_MS = 500;
const KILLED = 128 + 9;
const BROKEN_PIPE = 128 + 13;
const NOT_RUN = 125;

/** Starts the VM of a container and joins its standard streams. The container outlives this process. */
export function startContainer(
  root: Root,
  container: StartableContainer,
  streams: AttachStreams,
  events: AttachEvents = {},
): RunningContainer {
  recordStreams(root, container.config, streams, 'attach');
  const origin = findOrigin(root, container.directory, container.assets);
  const { checkpoint } = container;
  const refill = refillOnce(container);
  const connection =
    (checkpoint === undefined ? waitingMachine(container) : undefined) ??
    startMonitor(container.assets.monitor, container.directory, { template: origin.directory, checkpoint });
  const running = join(root, container, connection, streams, {
    ...events,
    started: () => {
      container.release();
      events.started?.();
      recordMounts(root, container.config);
      repairInBackground(root);
      origin.makeForNextTime();
      setTimeout(refill, REFILL_DELAY_MS).unref();
    },
  });
  const ended = running.ended.finally(async () => {
    container.release();
    refill();
    if (container.config.host.cni) await sweepCni(root, [container.id]); // of one whose keeper did not get that far
  });
  return { ...running, ended };
}

/** Not while the container starts, for the host has more to do then. */
function refillOnce({ pool }: StartableContainer): () => void {
  let left = pool;
  return () => {
    left?.refill();
    left = undefined;
  };
}

/** The one that was taken for the container, unless it has been killed since: then the container has a machine of its own. */
function waitingMachine({ pool, directory }: StartableContainer): Duplex | undefined {
  return pool?.machine && isHeld(directory) ? pool.machine.connection : undefined;
}

/**
 * Waits for the container's turn to boot, which ends when its command runs: where many are started at once, a few boot at a time. A CNI network is joined
 * then; HOST_SETUP when its plug-ins cannot, and a container that is to be removed at its end is.
 */
export async function awaitTurn(root: Root, container: StartableContainer): Promise<StartableContainer> {
  const turn = await takeTurn(root, container.id);
  const release = () => {
    turn.release();
    container.release();
  };
  try {
    return await enterCni(root, { ...container, release });
  } catch (error) {
    release();
    if (container.config.autoRemove) await removeNew(root, container);
    throw error;
  }
}

async function removeNew(root: Root, { id, config }: StartableContainer): Promise<void> {
  await removeContainer(root, id);
  if (config.mounts.length > 0) await removeTiedVolumes(root);
}

/** Starts a container in the background. Resolves once the command runs; rejects with why it does not. */
export async function startDetached(root: Root, container: StartableContainer): Promise<void> {
  const started = Promise.withResolvers<undefined>();
  const events = { started: () => started.resolve(undefined) };
  const { attachment, ended } = startContainer(root, await awaitTurn(root, container), {}, events);
  const end = await Promise.race([started.promise, ended]);
  attachment.leave();
  if (end && !end.started && end.failure) throw end.failure;
}

/** Joins the standard streams of a container that runs already. */
export async function attachContainer(
  root: Root,
  container: KnownContainer,
  streams: AttachStreams,
  events: AttachEvents = {},
): Promise<RunningContainer> {
  const connection = await connectMonitor(container.directory);
  recordStreams(root, container.config, streams, 'attach');
  return join(root, container, connection, streams, events);
}

/** Who only starts a container joins no streams. */
function recordStreams(
  root: Root,
  config: ContainerConfig,
  { stdin, stdout, stderr }: AttachStreams,
  action: 'attach' | 'detach',
): void {
  if (stdin || stdout || stderr) recordContainer(root, config, action);
}

type Joined = Pick<KnownContainer, 'id' | 'name' | 'directory' | 'config'>;

function join(
  root: Root,
  container: Joined,
  connection: Duplex,
  streams: AttachStreams,
  events: AttachEvents,
): RunningContainer {
  const attachment = new Attachment(connection, streams, events);
  const ended = attachment.ended.then((end) => {
    if (end.left) recordStreams(root, container.config, streams, 'detach');
    return finish(root, container, end);
  });
  const resize = (size: TerminalSize) => {
    attachment.session.resize(size);
    const { rows, columns } = size;
    recordContainer(root, container.config, 'resize', { height: String(rows), width: String(columns) });
  };
  return { attachment, ended, resize };
}

function recordMounts(root: Root, { id, mounts }: ContainerConfig): void {
  for (const { type, name, target, readOnly } of mounts) {
    if (type === 'volume')
      recordVolume(root, 'mount', name, {
        container: id,
        destination: target,
        'read/write': String(!readOnly),
      });
  }
}

/** Clears up after other containers; what fails there is for whoever asks for that container. */
function repairInBackground(root: Root): void {
  repairContainers(root)
    .then(() => sweepNetworks(root))
    .catch(() => {});
}

async function finish(root: Root, { id, name, directory, config }: Joined, end: AttachEnd): Promise<RunEnd> {
  if (end.left) return { exitCode: 0, failure: undefined, started: end.started };
  const lastWords = end.gone ? '' : monitorLastWords(directory);
  if (!end.gone) await settle(root, id);
  if (config.autoRemove) await releaseName(root, name, id);
  if (config.autoRemove && config.networks.length > 0) await leaveNetworks(root, id);
  if (config.autoRemove && config.mounts.length > 0) await removeTiedVolumes(root);
  return runEnd(name, end, lastWords);
}

const SETTLE_ATTEMPTS = 500;
const SETTLE_PAUSE_MS = 20;

/** The monitor is gone, or about to be: its lock becomes free and the container's state is written for it. */
async function settle(root: Root, id: string): Promise<void> {
  for (let attempt = 0; attempt < SETTLE_ATTEMPTS; attempt++) {
    if ((await repairContainer(root, id)) !== 'alive') return;
    await sleep(SETTLE_PAUSE_MS);
  }
}

function runEnd(name: string, end: AttachEnd, lastWords: string): RunEnd {
  const { started, exit, error, outputError } = end;
  if (outputError) return { started, ...brokenOutput(outputError) };
  if (exit && !error) return { started, exitCode: exit.code, failure: undefined };
  const failure = error ? sessionFailure(error) : monitorDied(name, end.cause, lastWords);
  return { started, exitCode: exit?.code ?? (started ? KILLED : NOT_RUN), failure };
}

function brokenOutput(cause: Error): Pick<RunEnd, 'exitCode' | 'failure'> {
  if (errnoOf(cause) === 'EPIPE') return { exitCode: BROKEN_PIPE, failure: undefined };
  const failure = new HrunError('OUTPUT_FAILED', `cannot write the container's output: ${cause.message}`, {
    cause,
  });
  return { exitCode: NOT_RUN, failure };
}
