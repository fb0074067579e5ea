// SPDX-License-Identifier: Apache-2.0
import type { Ulimit } from '../container/index.ts';
import type { Rlimit } from '../guest/index.ts';

/** RLIMIT_* of x86 Linux, by the names of limits.conf(5). */
export const RLIMIT_NUMBERS: Readonly<Record<string, number>> = {
  cpu: 0,
  fsize: 1,
  data: 2,
  stack: 3,
  core: 4,
  rss: 5,
  nproc: 6,
  nofile: 7,
  memlock: 8,
  as: 9,
  locks: 10,
  sigpending: 11,
  msgqueue: 12,
  nice: 13,
  rtprio: 14,
  rttime: 15,
};

const RLIMIT_CORE = 4;
const RLIMIT_NPROC = 6;
const RLIMIT_NOFILE = 7;

/** What a service manager gives a container engine, and so its containers. */
const DEFAULTS: readonly Rlimit[] = [
  { resource: RLIMIT_CORE, soft: 0n, hard: undefined },
  { resource: RLIMIT_NPROC, soft: undefined, hard: undefined },
  { resource: RLIMIT_NOFILE, soft: 1024n, hard: 524_288n },
];

/** The limits of a container's processes: the defaults, and over them what was asked for. */
export function withDefaultRlimits(asked: readonly Rlimit[]): Rlimit[] {
  return [...new Map([...DEFAULTS, ...asked].map((limit) => [limit.resource, limit])).values()];
}

/** As config.json keeps a limit. */
export function toUlimit({ resource, soft, hard }: Rlimit): Ulimit {
  const name = Object.entries(RLIMIT_NUMBERS).find(([, number]) => number === resource)![0];
  return { name, soft: Number(soft ?? -1), hard: Number(hard ?? -1) };
}

export function fromUlimit({ name, soft, hard }: Ulimit): Rlimit {
  const value = (limit: number) => (limit < 0 ? undefined : BigInt(limit));
  return { resource: RLIMIT_NUMBERS[name]!, soft: value(soft), hard: value(hard) };
}
