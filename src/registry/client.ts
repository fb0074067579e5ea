// SPDX-License-Identifier: Apache-2.0
import { type Digest, digestOf, matchesDigest } from '../base/digest.ts';
import { HrunError } from '../base/errors.ts';
import {
  type Descriptor,
  isForeignLayerType,
  MANIFEST_TYPES,
  MAX_CONFIG_BYTES,
  MAX_MANIFEST_BYTES,
} from '../oci/index.ts';
import { readBlob } from './blob.ts';
import type { CredentialStore, Credentials } from './credentials.ts';
import { HttpClient, type HttpResponse } from './http.ts';
import { mayUse, ownAddress, serversOf, settingsOf } from './origin.ts';
import { follow } from './redirect.ts';
import { familiarName, type Reference } from './reference.ts';
import { responseError } from './registry-error.ts';
import { type Document, RegistryServer } from './server.ts';
import { DEFAULT_TIMING, type RegistryTable, type RegistryTiming } from './settings.ts';

export interface ClientOptions {
  credentials: CredentialStore;
  table?: RegistryTable;
  timing?: Partial<RegistryTiming>;
}

/** A manifest or index as the registry sent it; `digest` is of these very bytes. */
export interface RemoteManifest {
  bytes: Buffer;
  /** the Content-Type */
  mediaType: string | undefined;
  digest: Digest;
}

const MAX_TAGS_BYTES = 16 * 1024 * 1024;
const MAX_TAG_PAGES = 1000;

/**
 * Reads images from registries (OCI distribution-spec, Docker Registry HTTP API v2). Keeps connections and
 * tokens for its lifetime: one client per use case, disposed at its end.
 */
export class RegistryClient implements Disposable {
  readonly #http: HttpClient;
  readonly #table: RegistryTable;
  readonly #credentials: CredentialStore;
  readonly #servers = new Map<string, RegistryServer[]>();

  constructor({ credentials, table = {}, timing = {} }: ClientOptions) {
    this.#http = new HttpClient({ ...DEFAULT_TIMING, ...timing });
    this.#table = table;
    this.#credentials = credentials;
  }

  [Symbol.dispose](): void {
    this.#http[Symbol.dispose]();
  }

  /** The manifest or index that `reference` names by digest or tag; verified against the digest, if it has one. */
  async manifest(reference: Reference, signal?: AbortSignal): Promise<RemoteManifest> {
    const path = `/v2/${reference.path}/manifests/${reference.digest ?? reference.tag}`;
    const image = familiarName(reference);
    return await this.#ask(reference, async (server) => {
      const headers = { accept: MANIFEST_TYPES.join(', ') };
      const request = { scope: pullScope(reference), headers, image, signal };
      const { response, bytes } = await server.document(path, request, MAX_MANIFEST_BYTES);
      return { bytes, mediaType: contentType(response), digest: verifiedDigest(bytes, response, reference) };
    });
  }

  /** A small blob such as an image config, whole and verified. */
  async config(reference: Reference, descriptor: Descriptor, signal?: AbortSignal): Promise<Buffer> {
    if (descriptor.size > MAX_CONFIG_BYTES) {
      throw new HrunError(
        'LIMIT_EXCEEDED',
        `${familiarName(reference)} has a config of ${descriptor.size} bytes`,
      );
    }
    const parts: Buffer[] = [];
    for await (const chunk of this.blob(reference, descriptor, signal)) parts.push(chunk);
    const bytes = Buffer.concat(parts);
    if (matchesDigest(bytes, descriptor.digest)) return bytes;
    throw mismatch(`the config of ${familiarName(reference)}`, descriptor.digest, digestOf(bytes));
  }

  /** The bytes of a blob, resumed when connections break, NOT verified: the reader hashes them as they come. */
  async *blob(reference: Reference, descriptor: Descriptor, signal?: AbortSignal): AsyncGenerator<Buffer> {
    const path = `/v2/${reference.path}/blobs/${descriptor.digest}`;
    const image = `${familiarName(reference)} (blob ${descriptor.digest.slice(0, 19)})`;
    const open = (headers: Record<string, string>): Promise<HttpResponse> =>
      this.#ask(
        reference,
        (server) => server.get(path, { scope: pullScope(reference), headers, image, signal }),
        (error) => this.#foreign(descriptor, headers, error, signal),
      );
    yield* readBlob(descriptor, open, this.#http.timing, signal);
  }

  /** All tags of a repository, in the registry's order. */
  async tags(reference: Reference, signal?: AbortSignal): Promise<string[]> {
    const image = familiarName({ domain: reference.domain, path: reference.path });
    return await this.#ask(reference, async (server) => {
      const tags: string[] = [];
      let path: string | undefined = `/v2/${reference.path}/tags/list`;
      for (let pages = 0; path !== undefined && pages < MAX_TAG_PAGES; pages++) {
        const request = { scope: pullScope(reference), image, signal };
        const page: Document = await server.document(path, request, MAX_TAGS_BYTES);
        tags.push(...parseTags(page.bytes, reference));
        path = nextPage(page.response);
      }
      return tags;
    });
  }

  /**
   * Checks a login with the registry. Resolves with what to keep: the same, or the identity token that the
   * registry gives for it. Rejects with REGISTRY_DENIED when it is wrong.
   */
  async login(registry: string, credentials: Credentials, signal?: AbortSignal): Promise<Credentials> {
    const address = ownAddress(registry, settingsOf(registry, this.#table));
    const context = { http: this.#http, table: this.#table, credentials: { get: async () => credentials } };
    const server = new RegistryServer(address, context);
    await server.document('/v2/', { scope: '', signal }, MAX_TAGS_BYTES);
    const token = await server.refreshToken();
    return token === undefined ? credentials : { kind: 'identity-token', token };
  }

  /** Asks the mirrors and the registry in turn; the registry's own failure is the one reported. */
  async #ask<T>(
    { domain }: Reference,
    question: (server: RegistryServer) => Promise<T>,
    otherwise?: (error: HrunError) => Promise<T>,
  ): Promise<T> {
    const servers = this.#serversOf(domain);
    let last: HrunError | undefined;
    for (const server of servers) {
      try {
        return await question(server);
      } catch (error) {
        if (!(error instanceof HrunError)) throw error;
        last = error;
      }
    }
    if (otherwise) return await otherwise(last!);
    throw last!;
  }

  #serversOf(domain: string): RegistryServer[] {
    const known = this.#servers.get(domain);
    if (known) return known;
    const context = { http: this.#http, table: this.#table, credentials: this.#credentials };
    const servers = serversOf(domain, this.#table).map((address) => new RegistryServer(address, context));
    this.#servers.set(domain, servers);
    return servers;
  }

  /** A foreign layer that the registry does not have: from the descriptor's own URLs, without any credentials. */
  async #foreign(
    descriptor: Descriptor,
    headers: Record<string, string>,
    error: HrunError,
    signal?: AbortSignal,
  ): Promise<HttpResponse> {
    if (error.code !== 'NO_SUCH_REMOTE_IMAGE' || !isForeignLayerType(descriptor.mediaType)) throw error;
    for (const text of descriptor.urls ?? []) {
      const url = URL.parse(text);
      if (!url || url.username || !mayUse(url, this.#table)) continue;
      const response = await follow(this.#http, url, { headers, signal }, { table: this.#table });
      if (response.status === 200 || response.status === 206) return response;
      throw await responseError(response, { registry: url.host, loggedIn: false }, this.#http.timing);
    }
    throw error;
  }
}

function pullScope(reference: Reference): string {
  return `repository:${reference.path}:pull`;
}

function contentType(response: HttpResponse): string | undefined {
  return /^[^;\s]+/.exec(response.headers['content-type'] ?? '')?.[0];
}

/** The digest of `bytes`, equal to what the reference and the Docker-Content-Digest header say. */
function verifiedDigest(bytes: Buffer, response: HttpResponse, reference: Reference): Digest {
  const said = response.headers['docker-content-digest'];
  const actual = digestOf(bytes);
  const what = `the manifest of ${familiarName(reference)}`;
  if (reference.digest && !matchesDigest(bytes, reference.digest))
    throw mismatch(what, reference.digest, actual);
  if (typeof said === 'string' && said.startsWith('sha256:') && said !== actual)
    throw mismatch(what, said, actual);
  return reference.digest ?? actual;
}

function mismatch(what: string, wanted: string, actual: string): HrunError {
  return new HrunError('DIGEST_MISMATCH', `${what} should be ${wanted.slice(0, 100)} but is ${actual}`, {
    hint: 'the image is broken in the registry, or something on the way changes it',
  });
}

function parseTags(body: Buffer, reference: Reference): string[] {
  try {
    const { tags } = JSON.parse(body.toString()) as { tags?: unknown };
    if (tags === null || tags === undefined) return [];
    if (Array.isArray(tags) && tags.every((tag) => typeof tag === 'string')) return tags;
  } catch {
    // the same answer as for JSON of another shape
  }
  throw new HrunError('REGISTRY_ERROR', `${reference.domain} gave a list of tags that is none`);
}

/** The path of the next page, RFC 8288 `Link: <…>; rel="next"`; only its path and query count. */
function nextPage(response: HttpResponse): string | undefined {
  const link = /<([^>]+)>\s*;\s*rel="?next"?/.exec(String(response.headers.link ?? ''));
  const url = link && URL.parse(link[1]!, response.url.href);
  return url ? `${url.pathname}${url.search}` : undefined;
}
