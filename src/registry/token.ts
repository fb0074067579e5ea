// SPDX-License-Identifier: Apache-2.0
// Bearer tokens, as Docker's registry token authentication describes them (GET with basic authentication,
// or an OAuth2 POST with an identity token).
import { HrunError } from '../base/errors.ts';
import { readAll } from './body.ts';
import { basicAuthorization, type Credentials } from './credentials.ts';
import type { HttpClient, HttpResponse } from './http.ts';
import { follow } from './redirect.ts';
import { responseError } from './registry-error.ts';
import type { RegistryTable } from './settings.ts';

const MAX_TOKEN_BYTES = 1024 * 1024;
const DEFAULT_LIFETIME_S = 60;
/** A token is renewed this long before it ends, in milliseconds. */
const MARGIN_MS = 5_000;
const CLIENT_ID = 'hrun';

export interface TokenRequest {
  realm: URL;
  service: string | undefined;
  /** `repository:library/ubuntu:pull`; empty for a login */
  scope: string;
  credentials: Credentials | undefined;
  /** name of the registry, for errors */
  registry: string;
  table: RegistryTable;
  signal?: AbortSignal | undefined;
}

export interface Token {
  value: string;
  /** milliseconds since the epoch */
  expiresAt: number;
  /** an identity token to keep instead of the password */
  refreshToken?: string;
}

/** Gets a token. The caller has checked that the realm may see the credentials. */
export async function fetchToken(http: HttpClient, request: TokenRequest): Promise<Token> {
  const response =
    request.credentials?.kind === 'identity-token'
      ? await postForm(http, request, request.credentials.token)
      : await getWithPassword(http, request);
  if (response.status !== 200) {
    const asked = { registry: request.registry, loggedIn: request.credentials !== undefined };
    throw await responseError(response, asked, http.timing);
  }
  const body = await readAll(response, MAX_TOKEN_BYTES, 'a token', http.timing);
  return parseToken(body, request.realm);
}

function getWithPassword(http: HttpClient, request: TokenRequest): Promise<HttpResponse> {
  const { realm, service, scope, credentials, table, signal } = request;
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set('service', service);
  if (scope) url.searchParams.set('scope', scope);
  if (credentials?.kind !== 'password') return follow(http, url, { signal }, { table });
  url.searchParams.set('account', credentials.username);
  if (!scope) {
    url.searchParams.set('offline_token', 'true');
    url.searchParams.set('client_id', CLIENT_ID);
  }
  const authorization = basicAuthorization(credentials.username, credentials.password);
  return follow(http, url, { signal }, { authorization, table });
}

function postForm(http: HttpClient, { realm, service, scope, signal }: TokenRequest, refreshToken: string) {
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    refresh_token: refreshToken,
    client_id: CLIENT_ID,
  });
  if (service !== undefined) form.set('service', service);
  if (scope) form.set('scope', scope);
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  return http.send(realm, { method: 'POST', headers, body: form.toString(), signal });
}

function parseToken(body: Buffer, realm: URL): Token {
  const answer = parseObject(body);
  const value = answer.token || answer.access_token;
  if (typeof value !== 'string' || !/^[\x21-\x7e]{1,65536}$/.test(value)) {
    throw new HrunError('REGISTRY_ERROR', `the token server ${realm.host} gave no usable token`);
  }
  const seconds =
    typeof answer.expires_in === 'number' && answer.expires_in > 0 ? answer.expires_in : DEFAULT_LIFETIME_S;
  const refresh = typeof answer.refresh_token === 'string' && answer.refresh_token;
  return {
    value,
    expiresAt: Date.now() + seconds * 1000 - MARGIN_MS,
    ...(refresh && { refreshToken: refresh }),
  };
}

function parseObject(body: Buffer): Record<string, unknown> {
  try {
    const value = JSON.parse(body.toString()) as unknown;
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // the same answer as for JSON that is no object
  }
  return {};
}
