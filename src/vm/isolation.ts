// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { HrunError } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import { isNews } from './news.ts';

/** What of the monitor's jail this host and user can have; each is empty when it works, else why it does not. */
export interface HostIsolation {
  namespaces: string;
  landlock: string;
  controlGroup: string;
}

/** Lets the monitor try; HOST_SETUP when it cannot be executed. */
export function checkIsolation(monitor: string): HostIsolation {
  try {
    return JSON.parse(execFileSync(monitor, ['--check'], { encoding: 'utf8' })) as HostIsolation;
  } catch (cause) {
    throw new HrunError('HOST_SETUP', `the monitor ${monitor} does not answer`, {
      hint: 'run: npm run setup',
      cause: cause as Error,
    });
  }
}

/**
 * One line for a user who has asked for limits that this host does not enforce; undefined when it does, or when it was said
 * since the host was booted.
 */
export async function limitsRemark(root: Root, monitor: string): Promise<string | undefined> {
  if (!(await isNews(root, 'limits', 'looked'))) return undefined;
  const { controlGroup } = checkIsolation(monitor);
  if (controlGroup === '') return undefined;
  return `the VM has its size, but the host does not enforce all limits: ${controlGroup}; hrun doctor says more`;
}
