// SPDX-License-Identifier: Apache-2.0
// ~/.docker/config.json: shared with docker, podman and others, so that one login serves all.
import { mkdir, readFile, realpath } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { writeFileAtomic } from '../base/atomic-file.ts';
import { errnoOf, HrunError } from '../base/errors.ts';
import { helperErase, helperGet, helperStore } from './credential-helper.ts';
import type { CredentialStore, Credentials } from './credentials.ts';
import { canonicalDomain } from './reference.ts';

/** The key under which Docker keeps the login of Docker Hub. */
const DOCKER_HUB_KEY = 'https://index.docker.io/v1/';

interface AuthEntry {
  auth?: string;
  username?: string;
  password?: string;
  identitytoken?: string;
}

interface DockerConfig {
  auths?: Record<string, AuthEntry>;
  credHelpers?: Record<string, string>;
  credsStore?: string;
}

/** `$DOCKER_CONFIG/config.json`, by default `~/.docker/config.json`. */
export function dockerConfigPath(env: NodeJS.ProcessEnv = process.env): string {
  return join(env.DOCKER_CONFIG || join(homedir(), '.docker'), 'config.json');
}

/** The logins of Docker's configuration file, with its credential helpers. */
export function dockerCredentials(path: string = dockerConfigPath()): CredentialStore {
  return {
    get: (registry) => getLogin(path, registry),
    put: (registry, credentials) => putLogin(path, registry, credentials),
    erase: (registry) => eraseLogin(path, registry),
  };
}

async function getLogin(path: string, registry: string): Promise<Credentials | undefined> {
  const config = await readConfig(path);
  const helper = helperFor(config, registry);
  if (helper) {
    const login = await helperGet(helper, serverKey(registry));
    if (login) return login;
  }
  const entry = findEntry(config, registry);
  return entry && credentialsOf(entry[1], path, registry);
}

async function putLogin(path: string, registry: string, credentials: Credentials): Promise<void> {
  const config = await readConfig(path);
  const helper = helperFor(config, registry);
  if (helper) await helperStore(helper, serverKey(registry), credentials);
  config.auths = { ...config.auths, [serverKey(registry)]: helper ? {} : entryOf(credentials) };
  await writeConfig(path, config);
}

async function eraseLogin(path: string, registry: string): Promise<boolean> {
  const config = await readConfig(path);
  const helper = helperFor(config, registry);
  const known = findEntry(config, registry);
  if (helper) await helperErase(helper, serverKey(registry));
  if (!known) return helper !== undefined;
  delete config.auths?.[known[0]];
  await writeConfig(path, config);
  return true;
}

function serverKey(registry: string): string {
  return canonicalDomain(registry) === 'docker.io' ? DOCKER_HUB_KEY : registry;
}

function helperFor(config: DockerConfig, registry: string): string | undefined {
  const helpers = config.credHelpers ?? {};
  return (
    [serverKey(registry), registry].map((key) => helpers[key]).find((name) => name) ??
    (config.credsStore || undefined)
  );
}

/** Docker accepts keys as URLs too; the exact key wins. */
function findEntry(config: DockerConfig, registry: string): [string, AuthEntry] | undefined {
  const key = serverKey(registry);
  const entries = Object.entries(config.auths ?? {});
  return entries.find(([name]) => name === key) ?? entries.find(([name]) => hostOf(name) === hostOf(key));
}

function hostOf(key: string): string {
  return key.replace(/^https?:\/\//, '').split('/')[0]!;
}

function credentialsOf(entry: AuthEntry, path: string, registry: string): Credentials | undefined {
  if (entry.identitytoken) return { kind: 'identity-token', token: entry.identitytoken };
  if (entry.username !== undefined && entry.password !== undefined) {
    return { kind: 'password', username: entry.username, password: entry.password };
  }
  if (!entry.auth) return undefined;
  const text = Buffer.from(entry.auth, 'base64').toString();
  const colon = text.indexOf(':');
  if (colon < 1)
    throw new HrunError('CONFIG', `${path}: the login for ${registry} is not valid`, {
      hint: `run: hrun login ${registry}`,
    });
  return {
    kind: 'password',
    username: text.slice(0, colon),
    password: text.slice(colon + 1).replace(/\0+$/, ''),
  };
}

function entryOf(credentials: Credentials): AuthEntry {
  if (credentials.kind === 'identity-token') {
    return { auth: base64('<token>:'), identitytoken: credentials.token };
  }
  return { auth: base64(`${credentials.username}:${credentials.password}`) };
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

async function readConfig(path: string): Promise<DockerConfig> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return {};
    throw new HrunError('CONFIG', `${path} cannot be read (${errnoOf(error)})`, { cause: error });
  }
  return parseConfig(text, path);
}

function parseConfig(text: string, path: string): DockerConfig {
  let value: unknown;
  try {
    value = JSON.parse(text || '{}');
  } catch (error) {
    throw new HrunError('CONFIG', `${path} is not JSON`, { hint: 'correct it or remove it', cause: error });
  }
  if (isTable(value) && isTable(value.auths ?? {}) && isTable(value.credHelpers ?? {})) {
    const entries = Object.values((value.auths ?? {}) as object);
    if (entries.every(isTable) && ['string', 'undefined'].includes(typeof value.credsStore))
      return value as DockerConfig;
  }
  throw new HrunError('CONFIG', `${path} is not a Docker configuration`, { hint: 'correct it or remove it' });
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** As Docker does: owner only, replaced atomically, and through a symbolic link if there is one. */
async function writeConfig(path: string, config: DockerConfig): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const target = await realpath(path).catch(() => path);
  await writeFileAtomic(target, `${JSON.stringify(config, null, '\t')}\n`, { mode: 0o600 });
}
