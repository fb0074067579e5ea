// SPDX-License-Identifier: Apache-2.0

/** A login at a registry: a password, or an identity token (an OAuth2 refresh token) in its place. */
export type Credentials =
  | { kind: 'password'; username: string; password: string }
  | { kind: 'identity-token'; token: string };

/** Where logins are kept, by registry name (`docker.io`, `localhost:5000`). */
export interface CredentialStore {
  get(registry: string): Promise<Credentials | undefined>;
  put(registry: string, credentials: Credentials): Promise<void>;
  /** Resolves with false when there was no login. */
  erase(registry: string): Promise<boolean>;
}

/** The value of an Authorization header for HTTP basic authentication, RFC 7617. */
export function basicAuthorization(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}
