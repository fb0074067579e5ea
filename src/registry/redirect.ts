// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../base/errors.ts';
import { discard, type HttpClient, type HttpRequest, type HttpResponse } from './http.ts';
import { mayUse } from './origin.ts';
import type { RegistryTable } from './settings.ts';

const MAX_REDIRECTS = 5;
const STATUSES = new Set([301, 302, 303, 307, 308]);

export interface FollowOptions {
  /** sent to `url`'s own origin and nowhere else */
  authorization?: string | undefined;
  ca?: string | undefined;
  table: RegistryTable;
}

/**
 * GETs `url` and follows redirects, at most five. The Authorization header goes only to the origin (scheme,
 * host and port) of `url`: a redirect that leaves it goes on without. Never from https to plain http.
 */
export async function follow(
  http: HttpClient,
  url: URL,
  request: HttpRequest,
  { authorization, ca, table }: FollowOptions,
): Promise<HttpResponse> {
  let at = url;
  for (let hops = 0; ; hops++) {
    const own = at.origin === url.origin;
    const headers = { ...request.headers, ...(own && authorization !== undefined && { authorization }) };
    const response = await http.send(at, { ...request, headers }, own ? ca : undefined);
    if (!STATUSES.has(response.status)) return response;
    discard(response);
    if (hops === MAX_REDIRECTS) {
      throw new HrunError('REGISTRY_ERROR', `${url.host} redirected more than ${MAX_REDIRECTS} times`);
    }
    at = nextUrl(at, response.headers.location, table);
  }
}

function nextUrl(from: URL, location: string | undefined, table: RegistryTable): URL {
  const next = location === undefined ? null : URL.parse(location, from.href);
  if (!next) throw new HrunError('REGISTRY_ERROR', `${from.host} redirected to nowhere`);
  if (!mayUse(next, table) || (from.protocol === 'https:' && next.protocol !== 'https:')) {
    throw new HrunError(
      'REGISTRY_ERROR',
      `${from.host} redirected to ${next.protocol}//${next.host}, which is refused`,
      {
        hint: 'plain http is followed only to loopback and to registries configured with plainHttp',
      },
    );
  }
  next.username = '';
  next.password = '';
  return next;
}
