// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../../base/errors.ts';

/** Labels: `key=value`, or `key` for an empty value. The last of a key wins. */
export function parseLabels(entries: readonly string[]): Record<string, string> {
  return Object.fromEntries(entries.map((entry) => splitPair(entry, '--label')));
}

/** Sysctls: `key=value`. */
export function parseSysctls(entries: readonly string[]): Map<string, string> {
  return new Map(
    entries.map((entry) => {
      if (!entry.includes('=')) throw bad('--sysctl', entry);
      return splitPair(entry, '--sysctl');
    }),
  );
}

/** Options of a driver: `key=value`, or `key` for an empty value. */
export function parseOptions(entries: readonly string[], option: string): Record<string, string> {
  return Object.fromEntries(entries.map((entry) => splitPair(entry, option)));
}

function splitPair(entry: string, option: string): [string, string] {
  const equals = entry.indexOf('=');
  const key = equals < 0 ? entry : entry.slice(0, equals);
  if (key === '') throw bad(option, entry);
  return [key, equals < 0 ? '' : entry.slice(equals + 1)];
}

function bad(option: string, entry: string): HrunError {
  return new HrunError('USAGE', `${option} ${JSON.stringify(entry)} is not KEY=VALUE`);
}
