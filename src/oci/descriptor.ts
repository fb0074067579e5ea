// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../base/digest.ts';

/** What a blob is, image-spec descriptor.md. */
export interface Descriptor {
  mediaType: string;
  digest: Digest;
  /** bytes */
  size: number;
  urls?: string[];
  annotations?: Record<string, string>;
  platform?: Platform;
}

/** image-spec image-index.md, property `platform`. */
export interface Platform {
  os: string;
  architecture: string;
  variant?: string;
}

/** Annotation of a descriptor in index.json that holds the image's full name. */
export const REF_NAME = 'org.opencontainers.image.ref.name';
