// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../../base/errors.ts';
import type { RestartPolicy } from '../../core/container-options.ts';

/** `no`, `on-failure`, `on-failure:5`, `always`, `unless-stopped`; USAGE for anything else. */
export function parseRestartPolicy(text: string): RestartPolicy {
  const [, name, retries] = /^(no|on-failure|always|unless-stopped)(?::(\d{1,6}))?$/.exec(text) ?? [];
  if (name !== undefined && (retries === undefined || name === 'on-failure')) {
    return { name: name as RestartPolicy['name'], maximumRetries: Number(retries ?? 0) };
  }
  throw new HrunError('USAGE', `--restart ${JSON.stringify(text)} is not a policy`, {
    hint: 'use no, on-failure[:times], always or unless-stopped',
  });
}
