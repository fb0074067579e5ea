// SPDX-License-Identifier: Apache-2.0
import { Option } from 'commander';

/** For commander: an option that may be given many times. */
export function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

/** An option that takes one of several words. */
export function choice(
  flags: string,
  description: string,
  choices: readonly string[],
  fallback: string,
): Option {
  return new Option(flags, description).choices(choices).default(fallback);
}
