// SPDX-License-Identifier: Apache-2.0

/** One challenge of a WWW-Authenticate header, RFC 9110 section 11.6.1. */
export interface Challenge {
  /** lower case */
  scheme: string;
  /** names in lower case */
  parameters: Record<string, string>;
}

const MAX_LENGTH = 16 * 1024;
const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/y;
const SPACE = /[ \t]*/y;
const SEPARATOR = /[ \t,]*/y;

/** Parses a header with any number of challenges; what cannot be read ends the list. */
export function parseChallenges(header: string): Challenge[] {
  const scanner = new Scanner(header.slice(0, MAX_LENGTH));
  const challenges: Challenge[] = [];
  for (;;) {
    scanner.take(SEPARATOR);
    const word = scanner.take(TOKEN);
    if (word === undefined) return challenges;
    const current = challenges.at(-1);
    const value = current && scanner.value();
    if (value === undefined) challenges.push({ scheme: word.toLowerCase(), parameters: Object.create(null) });
    else current!.parameters[word.toLowerCase()] ??= value;
  }
}

class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** What `pattern` matches here, and moves past it. */
  take(pattern: RegExp, group = 0): string | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (!match) return undefined;
    this.#at = pattern.lastIndex;
    return match[group];
  }

  /** `= value` of a parameter; undefined, and nothing taken, when the word was a scheme. */
  value(): string | undefined {
    const start = this.#at;
    this.take(SPACE);
    if (this.take(/=/y) !== undefined) {
      this.take(SPACE);
      const quoted = this.take(QUOTED, 1);
      const value = quoted === undefined ? this.take(TOKEN) : quoted.replace(/\\(.)/g, '$1');
      if (value !== undefined) return value;
    }
    this.#at = start;
    return undefined;
  }
}
