// SPDX-License-Identifier: Apache-2.0
export { type ClientOptions, RegistryClient, type RemoteManifest } from './client.ts';
export type { CredentialStore, Credentials } from './credentials.ts';
export { dockerConfigPath, dockerCredentials } from './docker-config.ts';
export {
  canonicalDomain,
  familiarName,
  familiarRepository,
  fullName,
  isRegistryName,
  parseReference,
  parseTagged,
  type Reference,
  withDefaultTag,
} from './reference.ts';
export type { RegistrySettings, RegistryTable, RegistryTiming } from './settings.ts';
