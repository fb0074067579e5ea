// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { errnoOf, HrunError } from '../base/errors.ts';
import { Authorizer } from './authorizer.ts';
import { readAll } from './body.ts';
import type { CredentialStore } from './credentials.ts';
import { discard, type HttpClient, type HttpRequest, type HttpResponse } from './http.ts';
import type { ServerAddress } from './origin.ts';
import { follow } from './redirect.ts';
import { responseError } from './registry-error.ts';
import type { RegistryTable } from './settings.ts';
import { TransientError, withRetries } from './transient.ts';

export interface ServerContext {
  http: HttpClient;
  table: RegistryTable;
  credentials: Pick<CredentialStore, 'get'>;
}

/** A response with its body. */
export interface Document {
  response: HttpResponse;
  bytes: Buffer;
}

export interface ServerRequest {
  /** of the token, if the server wants one */
  scope: string;
  headers?: Record<string, string>;
  /** what is being asked for, to word errors */
  image?: string;
  signal?: AbortSignal | undefined;
}

/** One server of a registry: finds its scheme, authenticates, follows redirects. */
export class RegistryServer {
  readonly address: ServerAddress;
  readonly #context: ServerContext;
  #opened: Promise<{ origin: URL; ca: string | undefined; authorizer: Authorizer }> | undefined;

  constructor(address: ServerAddress, context: ServerContext) {
    this.address = address;
    this.#context = context;
  }

  /** The identity token that came with the last password, see Authorizer. */
  async refreshToken(): Promise<string | undefined> {
    return (await this.#open()).authorizer.refreshToken;
  }

  /** GETs a small document of at most `limit` bytes, with retries. */
  document(path: string, request: ServerRequest, limit: number): Promise<Document> {
    const { timing } = this.#context.http;
    return withRetries(timing, request.signal, async () => {
      const response = await this.get(path, request);
      return { response, bytes: await readAll(response, limit, path, timing) };
    });
  }

  /** GETs, one attempt; the response is 200 or 206, anything else is thrown as the error it means. */
  async get(path: string, request: ServerRequest): Promise<HttpResponse> {
    const { origin, authorizer } = await this.#open();
    const url = new URL(path, origin);
    const known = authorizer.header(request.scope);
    let response = await this.#send(url, request, known);
    let answer: string | undefined;
    if (response.status === 401 && response.url.origin === origin.origin) {
      answer = await this.#answer(response, request, authorizer);
      if (answer !== undefined) response = await this.#send(url, request, answer);
    }
    if (response.status === 200 || response.status === 206) return response;
    const asked = { registry: this.address.name, image: request.image!, loggedIn: await this.#hasLogin() };
    throw await responseError(response, asked, this.#context.http.timing);
  }

  async #answer(
    response: HttpResponse,
    request: ServerRequest,
    authorizer: Authorizer,
  ): Promise<string | undefined> {
    const answer = await authorizer.answer(response, request.scope, request.signal);
    if (answer !== undefined) discard(response);
    return answer;
  }

  async #send(
    url: URL,
    { headers = {}, signal }: ServerRequest,
    authorization: string | undefined,
  ): Promise<HttpResponse> {
    const { ca } = await this.#open();
    const request: HttpRequest = { headers: { 'accept-encoding': 'identity', ...headers }, signal };
    return follow(this.#context.http, url, request, { authorization, ca, table: this.#context.table });
  }

  async #hasLogin(): Promise<boolean> {
    return (await this.#context.credentials.get(this.address.name)) !== undefined;
  }

  #open() {
    this.#opened ??= this.#prepare();
    return this.#opened;
  }

  async #prepare() {
    const { http, table, credentials } = this.#context;
    const server = this.address;
    const ca = server.settings.ca === undefined ? undefined : await readAuthority(server.settings.ca);
    const scheme = server.scheme ?? (await findScheme(http, server.authority));
    const origin = new URL(`${scheme}//${server.authority}`);
    const login = () => credentials.get(server.name);
    return { origin, ca, authorizer: new Authorizer({ http, server, origin, table, credentials: login }) };
  }
}

/** A loopback registry speaks http or https: ask in http, without credentials, and see whether it understands. */
async function findScheme(http: HttpClient, authority: string): Promise<'http:' | 'https:'> {
  try {
    const response = await http.send(new URL(`http://${authority}/v2/`), {});
    discard(response);
    return response.status === 400 ? 'https:' : 'http:';
  } catch (error) {
    if (error instanceof TransientError && errnoOf(error.cause) === 'ECONNRESET') return 'https:';
    throw error;
  }
}

async function readAuthority(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new HrunError('CONFIG', `the certificate file ${path} cannot be read (${errnoOf(error)})`, {
      cause: error,
    });
  }
}
