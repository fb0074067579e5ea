// SPDX-License-Identifier: Apache-2.0
// Questions to the agent of a running container that are answered at once.
import { HrunError } from '../base/errors.ts';
import {
  AGENT_PORT,
  encodeNetworkChange,
  encodeProcessList,
  type GuestLimits,
  type NetworkChange,
  Session,
  type SessionEvents,
  Stream,
  type Used,
} from '../guest/index.ts';
import { connectGuest } from '../vm/index.ts';
import { sessionFailure } from './session-failure.ts';

const LIMIT_MS = 30_000;
/** A guest could list processes for ever. */
const MAX_LIST_BYTES = 16 * 1024 * 1024;

/** What a container uses now. */
export async function askUsage(directory: string): Promise<Used> {
  return await askAgent(
    directory,
    (session) => session.askUsage(),
    (resolve) => ({ used: resolve }),
  );
}

/** Sets limits of a container in its guest. */
export async function setGuestLimits(directory: string, limits: GuestLimits): Promise<void> {
  await askAgent<undefined>(
    directory,
    (session) => session.limit(limits),
    (resolve) => ({ limited: () => resolve(undefined) }),
  );
}

/** Changes the networks of a container in its guest. */
export async function changeGuestNetworks(directory: string, change: NetworkChange): Promise<void> {
  await askAgent<undefined>(
    directory,
    (session) => session.changeNetworks(encodeNetworkChange(change)),
    (resolve) => ({ networked: () => resolve(undefined) }),
  );
}

/** The lines of initrd/process_list.h. */
export async function askProcesses(directory: string): Promise<string[]> {
  const pieces: Buffer[] = [];
  let total = 0;
  return await askAgent(
    directory,
    (session) => session.start(encodeProcessList()),
    (resolve, session) => ({
      output: (stream, bytes) => {
        total += bytes.length;
        if (stream === Stream.STDOUT && total <= MAX_LIST_BYTES) pieces.push(Buffer.from(bytes));
        session().credit(stream, bytes.length);
      },
      exit: () => resolve(Buffer.concat(pieces).toString().split('\n').slice(0, -1)),
    }),
  );
}

/** Asks and resolves to the answer; CONTAINER_STATE when the container ends before it comes. */
async function askAgent<T>(
  directory: string,
  ask: (session: Session) => void,
  answer: (resolve: (value: T) => void, session: () => Session) => Partial<SessionEvents>,
): Promise<T> {
  const socket = await connectGuest(directory, AGENT_PORT);
  return await new Promise<T>((resolve, reject) => {
    const limit = setTimeout(() => session.close(noAnswer('in time')), LIMIT_MS);
    const done = (value: T) => {
      resolve(value);
      session.close();
    };
    const session: Session = new Session(socket, {
      output: () => {},
      error: (error) => session.close(sessionFailure(error)),
      close: (cause) => {
        clearTimeout(limit);
        reject(cause ?? noAnswer('before it ended'));
      },
      ...answer(done, () => session),
    });
    ask(session);
  });
}

function noAnswer(when: string): HrunError {
  return new HrunError('CONTAINER_STATE', `the container did not answer ${when}`);
}
