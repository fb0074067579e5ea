// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';

/** A digest as in the OCI image-spec (descriptor.md#digests): only sha256 and sha512 are accepted. */
export type Digest = `sha256:${string}` | `sha512:${string}`;

const PATTERN = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

/** True only for a canonical digest. Check before a digest becomes part of a path or is trusted. */
export function isDigest(text: unknown): text is Digest {
  return typeof text === 'string' && PATTERN.test(text);
}

/** Splits a digest into algorithm and lower-case hex. */
export function digestParts(digest: Digest): { algorithm: 'sha256' | 'sha512'; hex: string } {
  const colon = digest.indexOf(':');
  return { algorithm: digest.slice(0, colon) as 'sha256' | 'sha512', hex: digest.slice(colon + 1) };
}

/** The SHA-256 digest of `bytes`. */
export function digestOf(bytes: Uint8Array | string): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** True when `bytes` are what `digest` names. */
export function matchesDigest(bytes: Uint8Array, digest: Digest): boolean {
  const { algorithm, hex } = digestParts(digest);
  return createHash(algorithm).update(bytes).digest('hex') === hex;
}
