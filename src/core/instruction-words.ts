// SPDX-License-Identifier: Apache-2.0
// Words of a Dockerfile instruction, with quotes, escapes and variables as Docker's builder reads them.
import { HrunError } from '../base/errors.ts';

/** Splits at blanks; quotes and backslashes keep them, and go. */
export function instructionWords(text: string): string[] {
  const words: string[] = [];
  for (const [word] of text.matchAll(/(?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s"'\\])+/gs))
    words.push(unquoted(word));
  return words;
}

/** `A=1 B="2 3"`, or `A the rest` for a single one. Throws USAGE. */
export function keyValues(text: string): [string, string][] {
  const words = instructionWords(text);
  if (!words[0]?.includes('=')) {
    const [, name, value] = /^(\S+)\s+([\s\S]+)$/.exec(text) ?? [];
    if (!name || value === undefined) throw new HrunError('USAGE', `--change: "${text}" is no NAME=value`);
    return [[name, value]];
  }
  return words.map((word) => {
    const equals = word.indexOf('=');
    if (equals <= 0) throw new HrunError('USAGE', `--change: "${word}" is no NAME=value`);
    return [word.slice(0, equals), word.slice(equals + 1)];
  });
}

/** `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME:+other}`; single quotes and a backslash keep them. */
export function expandVariables(text: string, env: readonly string[]): string {
  const values = new Map(env.map((entry) => [entry.split('=', 1)[0]!, entry.slice(entry.indexOf('=') + 1)]));
  const pattern = /'[^']*'|\\.|\$(?:(\w+)|\{(\w+)(?::([-+])([^}]*))?\})/gs;
  return text.replace(pattern, (whole, plain?: string, braced?: string, operator?: string, word = '') => {
    const name = plain ?? braced;
    if (name === undefined) return whole;
    const value = values.get(name) ?? '';
    if (operator === '-') return value || word;
    if (operator === '+') return value && word;
    return value;
  });
}

function unquoted(word: string): string {
  return word.replace(
    /"((?:\\.|[^"\\])*)"|'([^']*)'|\\(.)/gs,
    (_, double?: string, single?: string, escaped?: string) => {
      if (double !== undefined) return double.replace(/\\(["\\$])/g, '$1');
      return single ?? escaped ?? '';
    },
  );
}
