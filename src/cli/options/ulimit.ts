// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../../base/errors.ts';
import type { Rlimit } from '../../core/container-options.ts';
import { RLIMIT_NUMBERS } from '../../core/rlimits.ts';

/** `nofile=1024:2048`, `nproc=100`, `core=-1`; USAGE for anything else. */
export function parseUlimit(text: string): Rlimit {
  const [, name, soft, hard = soft] =
    /^([a-z]+)=(-1|unlimited|\d+)(?::(-1|unlimited|\d+))?$/.exec(text) ?? [];
  const resource =
    name !== undefined && Object.hasOwn(RLIMIT_NUMBERS, name) ? RLIMIT_NUMBERS[name] : undefined;
  if (resource === undefined || soft === undefined || hard === undefined)
    throw bad(text, 'is not NAME=SOFT[:HARD]');
  const limit = { resource, soft: limitOf(soft), hard: limitOf(hard) };
  if (limit.hard !== undefined && (limit.soft === undefined || limit.soft > limit.hard)) {
    throw bad(text, 'has a soft limit over the hard one');
  }
  return limit;
}

function limitOf(text: string): bigint | undefined {
  if (text === '-1' || text === 'unlimited') return undefined;
  return BigInt.asUintN(64, BigInt(text)) === BigInt(text) ? BigInt(text) : undefined;
}

function bad(text: string, problem: string): HrunError {
  return new HrunError('USAGE', `--ulimit ${JSON.stringify(text)} ${problem}`, {
    hint: 'for example --ulimit nofile=1024:2048',
  });
}
