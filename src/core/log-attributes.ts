// SPDX-License-Identifier: Apache-2.0
// --log-opt labels=, env= and their patterns: what of a container stands in every line of its log, as Docker's json-file has it.
import { HrunError } from '../base/errors.ts';
import type { ContainerConfig } from '../container/index.ts';

/** A line of the log has a limit, and so what is in each of them. */
const MOST_BYTES = 16 * 1024;

/** Names and values; undefined for none. USAGE for more than lines can hold. */
export function logAttributes({
  host,
  labels,
  process,
}: Pick<ContainerConfig, 'host' | 'labels' | 'process'>): Record<string, string> | undefined {
  const wanted = host.log.attributes;
  if (!wanted) return undefined;
  const env = Object.fromEntries(process.env.map((text) => text.split(/=(.*)/s, 2) as [string, string]));
  const attributes = {
    ...pick(labels, wanted.labels, wanted['labels-regex']),
    ...pick(env, wanted.env, wanted['env-regex']),
  };
  const bytes = Buffer.byteLength(JSON.stringify(attributes));
  if (bytes <= MOST_BYTES) return Object.keys(attributes).length > 0 ? attributes : undefined;
  throw new HrunError('USAGE', `--log-opt labels and env take ${bytes} bytes of each line of the log`, {
    hint: `name fewer of them: ${MOST_BYTES} is the most`,
  });
}

/** Those that are named, and those whose names match. */
function pick(
  from: Readonly<Record<string, string>>,
  names: string | undefined,
  pattern: string | undefined,
): Record<string, string> {
  const listed = names?.split(',') ?? [];
  const matches = pattern ? new RegExp(pattern) : undefined;
  const isWanted = (name: string) => listed.includes(name) || matches?.test(name) === true;
  return Object.fromEntries(Object.entries(from).filter(([name]) => isWanted(name)));
}
