// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../base/errors.ts';
import type { Descriptor } from '../oci/index.ts';
import { readBody } from './body.ts';
import { discard, type HttpResponse } from './http.ts';
import type { RegistryTiming } from './settings.ts';
import { backOff, TransientError } from './transient.ts';

/** Opens a blob from byte `offset` on: one attempt. The answer may still start at 0. */
export type OpenBlob = (headers: Record<string, string>) => Promise<HttpResponse>;

/** As much progress wipes out earlier failures, so that a huge blob survives many of them. */
const PROGRESS_BYTES = 1024 * 1024;

/**
 * The bytes of a blob, exactly `descriptor.size` of them, going on where a broken connection left off
 * (RFC 9110 section 14: Range with If-Range). The caller verifies the digest of what it got, which is why
 * it does not matter to safety which server sent which part. Throws DIGEST_MISMATCH when the server has
 * another size, or the last failure when attempts are used up.
 */
export async function* readBlob(
  descriptor: Descriptor,
  open: OpenBlob,
  timing: RegistryTiming,
  signal?: AbortSignal,
): AsyncGenerator<Buffer> {
  let offset = 0;
  let failures = 0;
  let settled = 0; // the offset at which failures were last forgotten
  const entity: Entity = {};
  while (offset < descriptor.size) {
    try {
      for await (const chunk of openAt(descriptor, offset, open, entity, timing)) {
        offset += chunk.length;
        yield chunk;
      }
      if (offset < descriptor.size) throw cutShort(descriptor, offset);
    } catch (error) {
      if (!(error instanceof TransientError)) throw error;
      if (offset - settled >= PROGRESS_BYTES) failures = 0;
      settled = offset;
      failures += 1;
      if (failures >= timing.attempts) throw error;
      await backOff(timing, failures, error, signal);
    }
  }
}

/** Strong validator of the representation that the first bytes came from. */
interface Entity {
  etag?: string;
}

/** One connection's worth of the blob from `offset` on. */
async function* openAt(
  descriptor: Descriptor,
  offset: number,
  open: OpenBlob,
  entity: Entity,
  timing: RegistryTiming,
): AsyncGenerator<Buffer> {
  const response = await open(rangeHeaders(offset, entity));
  let skip = offset - startOf(response, descriptor, offset);
  const { etag } = response.headers;
  if (etag?.startsWith('"') && /^[\x21-\x7e]+$/.test(etag)) entity.etag = etag;
  let left = descriptor.size - offset;
  for await (const chunk of readBody(response, timing)) {
    const useful = skip < chunk.length ? chunk.subarray(skip) : chunk.subarray(chunk.length);
    skip = Math.max(0, skip - chunk.length);
    if (useful.length > left) throw wrongSize(descriptor, `more than ${descriptor.size}`);
    left -= useful.length;
    if (useful.length > 0) yield useful;
  }
}

function rangeHeaders(offset: number, { etag }: Entity): Record<string, string> {
  if (offset === 0) return {};
  return { range: `bytes=${offset}-`, ...(etag !== undefined && { 'if-range': etag }) };
}

/** The blob's offset at which the body starts: a server is free to ignore Range. Checks the announced sizes. */
function startOf(response: HttpResponse, descriptor: Descriptor, offset: number): number {
  if (response.status === 206) {
    const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(response.headers['content-range'] ?? '');
    if (range && Number(range[1]) === offset && (range[2] === '*' || Number(range[2]) === descriptor.size))
      return offset;
    discard(response);
    throw new HrunError(
      'REGISTRY_ERROR',
      `${response.url.host} sent another part of ${descriptor.digest} than asked for`,
    );
  }
  const length = response.headers['content-length'];
  if (length !== undefined && Number(length) !== descriptor.size) {
    discard(response);
    throw wrongSize(descriptor, length);
  }
  return 0;
}

function wrongSize(descriptor: Descriptor, got: string): HrunError {
  return new HrunError(
    'DIGEST_MISMATCH',
    `blob ${descriptor.digest} has ${got} bytes but the manifest says ${descriptor.size}`,
    { hint: 'the image is broken in the registry, or something on the way changes it' },
  );
}

function cutShort(descriptor: Descriptor, offset: number): TransientError {
  return new TransientError(
    'REGISTRY_ERROR',
    `blob ${descriptor.digest} ends after ${offset} of ${descriptor.size} bytes`,
    { hint: 'the image is broken in the registry, or the connection keeps breaking' },
  );
}
