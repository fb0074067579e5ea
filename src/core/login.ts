// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../base/errors.ts';
import {
  type CredentialStore,
  canonicalDomain,
  dockerCredentials,
  isRegistryName,
  RegistryClient,
} from '../registry/index.ts';
import { loadConfig } from './config.ts';

/** Checks user name and password with the registry, then keeps them where Docker does. */
export async function login(
  server: string | undefined,
  username: string,
  password: string,
  store: CredentialStore = dockerCredentials(),
): Promise<{ registry: string }> {
  const registry = registryName(server);
  const { registries } = await loadConfig();
  using client = new RegistryClient({ credentials: store, table: registries });
  const kept = await client.login(registry, { kind: 'password', username, password });
  await store.put(registry, kept);
  return { registry };
}

/** Forgets the login; resolves with false when there was none. */
export async function logout(
  server: string | undefined,
  store: CredentialStore = dockerCredentials(),
): Promise<{ registry: string; known: boolean }> {
  const registry = registryName(server);
  return { registry, known: await store.erase(registry) };
}

/** What Docker accepts as SERVER: a name, a URL, or nothing for Docker Hub. */
export function registryName(server: string | undefined): string {
  const host = (server ?? 'docker.io').replace(/^https?:\/\//, '').replace(/\/.*$/, '');
  if (isRegistryName(host)) return canonicalDomain(host);
  throw new HrunError('USAGE', `"${server}" is not a registry`, { hint: 'use HOST[:PORT]' });
}
