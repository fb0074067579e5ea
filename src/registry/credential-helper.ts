// SPDX-License-Identifier: Apache-2.0
// Docker's credential helpers: a program docker-credential-NAME that talks JSON over its standard streams.
import { errnoOf, HrunError } from '../base/errors.ts';
import type { Credentials } from './credentials.ts';

const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;
const NOT_FOUND = 'credentials not found in native keychain';
/** The user name that marks a secret as an identity token. */
const TOKEN_USER = '<token>';
const TIMEOUT_MS = 60_000;

/** Asks helper `name` for the login kept under `serverUrl`. */
export async function helperGet(name: string, serverUrl: string): Promise<Credentials | undefined> {
  const answer = await callHelper(name, 'get', serverUrl);
  if (answer === undefined) return undefined;
  const { Username, Secret } = parseAnswer(name, answer);
  if (Username === TOKEN_USER) return { kind: 'identity-token', token: Secret };
  return { kind: 'password', username: Username, password: Secret };
}

/** Gives helper `name` a login to keep. */
export async function helperStore(name: string, serverUrl: string, credentials: Credentials): Promise<void> {
  const login =
    credentials.kind === 'password'
      ? { Username: credentials.username, Secret: credentials.password }
      : { Username: TOKEN_USER, Secret: credentials.token };
  await callHelper(name, 'store', JSON.stringify({ ServerURL: serverUrl, ...login }));
}

export async function helperErase(name: string, serverUrl: string): Promise<void> {
  await callHelper(name, 'erase', serverUrl);
}

/** The helper's standard output; undefined when it knows no such login. */
async function callHelper(name: string, verb: string, input: string): Promise<string | undefined> {
  if (!NAME.test(name)) throw new HrunError('CONFIG', `"${name}" is not the name of a credential helper`);
  const program = `docker-credential-${name}`;
  const { execa } = await import('execa');
  const result = await execa(program, [verb], {
    input,
    reject: false,
    timeout: TIMEOUT_MS,
    maxBuffer: 1024 * 1024,
  });
  if (!result.failed) return result.stdout;
  if (errnoOf(result) === 'ENOENT' || result.code === 'ENOENT') {
    throw new HrunError('REGISTRY_DENIED', `the credential helper ${program} is not installed`, {
      hint: 'install it or take it out of ~/.docker/config.json',
    });
  }
  const said = `${result.stdout ?? ''}${result.stderr ?? ''}`.trim();
  if (said.includes(NOT_FOUND)) return undefined;
  throw new HrunError(
    'REGISTRY_DENIED',
    `${program} ${verb} failed: ${said.slice(0, 200) || result.shortMessage}`,
  );
}

function parseAnswer(name: string, answer: string): { Username: string; Secret: string } {
  try {
    const { Username, Secret } = JSON.parse(answer) as Record<string, unknown>;
    if (typeof Username === 'string' && typeof Secret === 'string') return { Username, Secret };
  } catch {
    // falls through: not JSON is as wrong as JSON without the fields
  }
  throw new HrunError('REGISTRY_DENIED', `docker-credential-${name} gave an answer that is not a login`);
}
