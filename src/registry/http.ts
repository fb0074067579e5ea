// SPDX-License-Identifier: Apache-2.0
import type { Agent, IncomingHttpHeaders, IncomingMessage, RequestOptions } from 'node:http';
import { HrunError } from '../base/errors.ts';
import { connectionError } from './connection-error.ts';
import type { RegistryTiming } from './settings.ts';

export interface HttpRequest {
  method?: 'GET' | 'POST';
  headers?: Record<string, string>;
  body?: string;
  signal?: AbortSignal | undefined;
}

/** A response whose body has not been read: read it with src/registry/body.ts or `discard` it. */
export interface HttpResponse {
  readonly url: URL;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: IncomingMessage;
}

/** The headers of a response, in bytes; more ends the connection. */
const MAX_HEADER_BYTES = 64 * 1024;

/**
 * HTTP/1.1 over kept-alive connections, through the proxies that HTTP_PROXY, HTTPS_PROXY and NO_PROXY name.
 * Knows nothing of redirects, credentials or registries. `node:http` is loaded on first use.
 */
export class HttpClient implements Disposable {
  readonly timing: RegistryTiming;
  readonly #agents = new Map<string, Promise<Agent>>();

  constructor(timing: RegistryTiming) {
    this.timing = timing;
  }

  /**
   * Sends one request and resolves with the response's head. `ca` is a PEM text to trust instead of the
   * system's authorities. Rejects with REGISTRY_UNREACHABLE, transient where another attempt may help.
   */
  async send(url: URL, request: HttpRequest, ca?: string): Promise<HttpResponse> {
    if (url.protocol !== 'http:' && url.protocol !== 'https:') {
      throw new HrunError('REGISTRY_ERROR', `${url.protocol}// is not a protocol for registries`);
    }
    const agent = await this.#agent(url.protocol, ca);
    const { request: open } =
      url.protocol === 'https:' ? await import('node:https') : await import('node:http');
    return await exchange(open, agent, url, request, this.timing.responseMs);
  }

  [Symbol.dispose](): void {
    for (const agent of this.#agents.values()) void agent.then((open) => open.destroy());
    this.#agents.clear();
  }

  #agent(protocol: 'http:' | 'https:', ca: string | undefined): Promise<Agent> {
    const key = `${protocol}${ca ?? ''}`;
    const known = this.#agents.get(key);
    if (known) return known;
    const made = makeAgent(protocol, ca);
    this.#agents.set(key, made);
    return made;
  }
}

/** Ends a response whose body nobody needs. */
export function discard(response: HttpResponse): void {
  response.body.destroy();
}

async function makeAgent(protocol: 'http:' | 'https:', ca: string | undefined): Promise<Agent> {
  const options = { keepAlive: true, proxyEnv: process.env };
  if (protocol === 'http:') return new (await import('node:http')).Agent(options);
  const [{ Agent }, { getCACertificates }] = await Promise.all([import('node:https'), import('node:tls')]);
  // Node trusts the authorities it was built with; an administrator expects the host's to count as well.
  return new Agent({
    ...options,
    ca: ca ?? [...getCACertificates('default'), ...getCACertificates('system')],
  });
}

type OpenRequest = (
  url: URL,
  options: RequestOptions,
  onResponse: (response: IncomingMessage) => void,
) => import('node:http').ClientRequest;

function exchange(
  open: OpenRequest,
  agent: Agent,
  url: URL,
  { method = 'GET', headers = {}, body, signal }: HttpRequest,
  responseMs: number,
): Promise<HttpResponse> {
  const { promise, resolve, reject } = Promise.withResolvers<HttpResponse>();
  const options: RequestOptions = {
    method,
    headers,
    agent,
    maxHeaderSize: MAX_HEADER_BYTES,
    ...(signal && { signal }),
  };
  const sent = open(url, options, (response) => {
    clearTimeout(timer);
    response.on('error', () => {}); // whoever reads the body sees it there
    resolve({ url, status: response.statusCode ?? 0, headers: response.headers, body: response });
  });
  const timer = setTimeout(() => sent.destroy(new ResponseTimeout()), responseMs);
  sent.on('error', (error) => {
    clearTimeout(timer);
    reject(signal?.aborted ? signal.reason : connectionError(error, url));
  });
  sent.end(body);
  return promise;
}

/** No answer in time; carries an errno so that it is told apart like the system's own time-outs. */
class ResponseTimeout extends Error {
  readonly code = 'ETIMEDOUT';
}
