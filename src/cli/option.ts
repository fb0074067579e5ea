// SPDX-License-Identifier: Apache-2.0

/** For commander: an option that may be given many times. */
export function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}
