// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../base/errors.ts';
import { type Challenge, parseChallenges } from './challenge.ts';
import { basicAuthorization, type Credentials } from './credentials.ts';
import type { HttpClient, HttpResponse } from './http.ts';
import { mayReceivePassword, mayUse, type ServerAddress } from './origin.ts';
import type { RegistryTable } from './settings.ts';
import { fetchToken, type Token } from './token.ts';

interface Context {
  http: HttpClient;
  server: ServerAddress;
  /** scheme and authority that `server` was found at */
  origin: URL;
  table: RegistryTable;
  credentials: () => Promise<Credentials | undefined>;
}

/** Answers one server's authentication challenges and remembers the answers, by scope. */
export class Authorizer {
  readonly #context: Context;
  readonly #tokens = new Map<string, Token>();
  readonly #pending = new Map<string, Promise<string>>();
  #basic: string | undefined;
  #refreshToken: string | undefined;

  constructor(context: Context) {
    this.#context = context;
  }

  /** The identity token that the token server gave for the password, if any. */
  get refreshToken(): string | undefined {
    return this.#refreshToken;
  }

  /** The Authorization header to send unasked: what worked before for this scope. */
  header(scope: string): string | undefined {
    const token = this.#tokens.get(scope);
    return token && token.expiresAt > Date.now() ? `Bearer ${token.value}` : this.#basic;
  }

  /**
   * The Authorization header that answers the 401 `response`, which must come from the server's own origin;
   * undefined when there is nothing to answer with. Parallel requests for one scope share one token.
   */
  async answer(response: HttpResponse, scope: string, signal?: AbortSignal): Promise<string | undefined> {
    const challenges = parseChallenges(response.headers['www-authenticate'] ?? '');
    const bearer = challenges.find((challenge) => challenge.scheme === 'bearer');
    if (bearer) return await this.#sharedToken(bearer, scope, signal);
    if (!challenges.some((challenge) => challenge.scheme === 'basic')) return undefined;
    const credentials = await this.#context.credentials();
    if (credentials?.kind !== 'password') return undefined;
    this.#basic = basicAuthorization(credentials.username, credentials.password);
    return this.#basic;
  }

  #sharedToken(challenge: Challenge, scope: string, signal?: AbortSignal): Promise<string> {
    const known = this.#pending.get(scope);
    if (known) return known;
    const fetched = this.#bearer(challenge, scope, signal).finally(() => this.#pending.delete(scope));
    this.#pending.set(scope, fetched);
    return fetched;
  }

  async #bearer(challenge: Challenge, scope: string, signal?: AbortSignal): Promise<string> {
    const { http, server, table } = this.#context;
    const realm = this.#realm(challenge.parameters.realm);
    const credentials = await this.#context.credentials();
    if (credentials) this.#checkMayReceive(realm);
    const service = challenge.parameters.service;
    const request = { realm, service, scope, credentials, registry: server.name, table, signal };
    const token = await fetchToken(http, request);
    this.#tokens.set(scope, token);
    this.#refreshToken = token.refreshToken ?? this.#refreshToken;
    return `Bearer ${token.value}`;
  }

  #realm(text: string | undefined): URL {
    const realm = text === undefined ? null : URL.parse(text);
    const { server, origin, table } = this.#context;
    if (realm && (realm.origin === origin.origin || mayUse(realm, table))) return realm;
    throw new HrunError(
      'REGISTRY_ERROR',
      `${server.name} names a token server that cannot be used: ${text?.slice(0, 100)}`,
    );
  }

  #checkMayReceive(realm: URL): void {
    const { server, origin } = this.#context;
    if (mayReceivePassword(realm, origin, server.settings)) return;
    throw new HrunError(
      'REGISTRY_DENIED',
      `${server.name} asks for your password to be sent to ${realm.origin}`,
      {
        hint: `if that is right, add it to registries."${server.name}".tokenRealms in hrun's configuration`,
      },
    );
  }
}
