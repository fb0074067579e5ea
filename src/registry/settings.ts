// SPDX-License-Identifier: Apache-2.0

/** What the configuration file may say of one registry, docs/configuration.md. */
export interface RegistrySettings {
  /** talk plain http to it; only loopback registries may do so without this */
  plainHttp?: boolean;
  /** path of a PEM file with the certificate authorities to trust for it */
  ca?: string;
  /** origins to ask first when pulling from it */
  mirrors?: string[];
  /** origins of token servers of another site that may be given its password */
  tokenRealms?: string[];
}

/** Settings by registry: host[:port], `docker.io` for Docker Hub. */
export type RegistryTable = Readonly<Record<string, RegistrySettings>>;

/** Times and counts of the registry client. */
export interface RegistryTiming {
  /** attempts for one request or for one stretch of a blob without progress */
  readonly attempts: number;
  /** milliseconds before the second attempt; doubles each time, with jitter */
  readonly backoffMs: number;
  /** longest wait that a registry's Retry-After is followed, in milliseconds */
  readonly maxBackoffMs: number;
  /** milliseconds for a connection and the response's headers */
  readonly responseMs: number;
  /** a body is given up after this many milliseconds of waiting without `minProgressBytes` */
  readonly stallMs: number;
  readonly minProgressBytes: number;
}

export const DEFAULT_TIMING: RegistryTiming = {
  attempts: 5,
  backoffMs: 300,
  maxBackoffMs: 30_000,
  responseMs: 30_000,
  stallMs: 30_000,
  minProgressBytes: 1024,
};
