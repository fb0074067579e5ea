// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { HrunError } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import { type ContainerConfig, recordContainer } from '../container/index.ts';
import { AGENT_PORT } from '../guest/index.ts';
import { connectGuest } from '../vm/index.ts';
import { type AttachEnd, type AttachEvents, Attachment, type AttachStreams } from './attach.ts';
import { type ExecProcess, execPayload } from './exec-payload.ts';
import { openRunning } from './open-container.ts';
import { sessionFailure } from './session-failure.ts';

export type ExecOptions = ExecProcess;

export interface ExecEnd {
  exitCode: number;
  /** why that is not the command's own exit code */
  failure: HrunError | undefined;
  started: boolean;
}

export interface RunningExec {
  attachment: Attachment;
  ended: Promise<ExecEnd>;
  /** Leaves the process to itself. */
  detach(): void;
}

const KILLED = 128 + 9;
const BROKEN_PIPE = 128 + 13;
const NOT_RUN = 125;

/** Starts another process in a running container, joined to the streams. CONTAINER_STATE when it does not run or is paused. */
export async function execInContainer(
  root: Root,
  text: string,
  options: ExecOptions,
  streams: AttachStreams,
  events: AttachEvents = {},
): Promise<RunningExec> {
  const { config, directory, state } = await openRunning(root, text);
  if (state.status === 'paused') {
    throw new HrunError('CONTAINER_STATE', `container ${text} is paused`, {
      hint: `first: hrun unpause ${text}`,
    });
  }
  const payload = execPayload(config, options);
  const connection = await connectGuest(directory, AGENT_PORT);
  const record = execRecorder(root, config, options.command);
  record('exec_create');
  const recorded = {
    ...events,
    started: () => {
      record('exec_start');
      events.started?.();
    },
  };
  const attachment = new Attachment(connection, streams, recorded, (session) => session.start(payload));
  const ended = attachment.ended.then((end) => {
    if (end.exit) record('exec_die', { exitCode: String(end.exit.code) });
    return execEnd(end);
  });
  const detach = () => {
    record('exec_detach');
    attachment.detach();
  };
  return { attachment, ended, detach };
}

/** Docker's events of one exec: the command is a part of the action. */
function execRecorder(root: Root, config: ContainerConfig, command: readonly string[]) {
  const execID = randomBytes(32).toString('hex');
  return (
    action: 'exec_create' | 'exec_start' | 'exec_detach' | 'exec_die',
    more: Record<string, string> = {},
  ) => {
    const named = action === 'exec_create' || action === 'exec_start';
    const what = named ? `${action}: ${command.join(' ')}` : action;
    recordContainer(root, config, what, { execID, ...more });
  };
}

function execEnd({ started, exit, error, left, outputError, cause }: AttachEnd): ExecEnd {
  if (left) return { started, exitCode: 0, failure: undefined };
  if (outputError) return { started, exitCode: BROKEN_PIPE, failure: undefined };
  if (exit) return { started, exitCode: exit.code, failure: undefined };
  const failure = error
    ? sessionFailure(error)
    : new HrunError('VM_FAILED', 'the container ended while the command ran', { cause });
  return { started, exitCode: started ? KILLED : NOT_RUN, failure };
}
