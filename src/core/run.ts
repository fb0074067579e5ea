// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises';
import { errnoOf, HrunError } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import { releaseName, repairContainer, repairContainers } from '../container/index.ts';
import { monitorLastWords, startMonitor } from '../vm/index.ts';
import { type AttachEnd, type AttachEvents, Attachment, type AttachStreams } from './attach.ts';
import type { CreatedContainer } from './create-container.ts';
import { monitorDied, sessionFailure } from './session-failure.ts';

/** A container whose monitor was started by this process. */
export interface RunningContainer {
  attachment: Attachment;
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

const KILLED = 128 + 9;
const BROKEN_PIPE = 128 + 13;
const NOT_RUN = 125;

/** Starts the VM of a new container and joins its standard streams. The container outlives this process. */
export function startContainer(
  root: Root,
  created: CreatedContainer,
  streams: AttachStreams,
  events: AttachEvents = {},
): RunningContainer {
  const connection = startMonitor(created.assets.monitor, created.directory);
  const attachment = new Attachment(connection, streams, {
    ...events,
    started: () => {
      created.release();
      events.started?.();
      repairInBackground(root);
    },
  });
  return { attachment, ended: attachment.ended.then((end) => finish(root, created, end)) };
}

/** Clears up after other containers; what fails there is for whoever asks for that container. */
function repairInBackground(root: Root): void {
  repairContainers(root).catch(() => {});
}

async function finish(root: Root, created: CreatedContainer, end: AttachEnd): Promise<RunEnd> {
  created.release();
  const { id, name, config } = created;
  if (end.left) return { exitCode: 0, failure: undefined, started: end.started };
  const lastWords = end.gone ? '' : monitorLastWords(created.directory);
  if (!end.gone) await settle(root, id);
  if (config.autoRemove) await releaseName(root, name, id);
  return runEnd(name, end, lastWords);
}

const SETTLE_ATTEMPTS = 100;
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
