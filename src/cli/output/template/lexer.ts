// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../../../base/errors.ts';

/** A piece of a template: literal text, or the words of one action `{{…}}`. */
export type Piece = { kind: 'text'; text: string } | { kind: 'action'; tokens: Token[] };

export type Token =
  | { kind: 'field'; path: string[] } // .A.B; . alone has an empty path
  | { kind: 'variable'; name: string; path: string[] } // $x.A; $ alone has an empty name
  | { kind: 'word'; text: string }
  | { kind: 'value'; value: string | number }
  | { kind: 'symbol'; text: string; path: string[] }; // | ( ) , := and the path behind a parenthesis: ).A

const ACTION = /\{\{(-(?=\s))?((?:[^"`}]|"(?:[^"\\]|\\.)*"|`[^`]*`|\}(?!\}))*?)(\s-)?\}\}/g;
const COMMENT = /^\s*\/\*[\s\S]*\*\/\s*$/;
const TOKEN =
  /\s+|(\$\w*)((?:\.\w+)*)|(\.(?:\w+(?:\.\w+)*)?)|("(?:[^"\\]|\\.)*"|`[^`]*`)|(-?\d+(?:\.\d+)?)|(\w+)|(:=|[|(,]|\)(?:\.\w+)*)/y;

/** Splits a template into text and actions; `{{-` and `-}}` take the space beside them away. */
export function splitTemplate(source: string): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  let trim = false;
  const addText = (text: string, trimEnd: boolean) => {
    const start = trim ? text.trimStart() : text;
    const kept = trimEnd ? start.trimEnd() : start;
    if (kept) pieces.push({ kind: 'text', text: kept });
  };
  for (const match of source.matchAll(ACTION)) {
    addText(source.slice(at, match.index), match[1] !== undefined);
    if (!COMMENT.test(match[2]!)) pieces.push({ kind: 'action', tokens: tokenize(match[2]!) });
    trim = match[3] !== undefined;
    at = match.index + match[0].length;
  }
  const rest = source.slice(at);
  if (rest.includes('{{')) throw templateError('an action {{ is not closed');
  addText(rest, false);
  return pieces;
}

export function templateError(message: string): HrunError {
  return new HrunError('USAGE', `--format: ${message}`, { hint: 'see docs/images.md, "Output formats"' });
}

function tokenize(action: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < action.length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(action);
    if (!match) throw templateError(`cannot read "${action.slice(at, at + 20)}"`);
    const token = toToken(match);
    if (token) tokens.push(token);
  }
  return tokens;
}

function toToken(match: RegExpExecArray): Token | undefined {
  const [, variable, path, field, quoted, number, word, symbol] = match;
  if (variable !== undefined) return { kind: 'variable', name: variable.slice(1), path: names(path) };
  if (field !== undefined) return { kind: 'field', path: names(field) };
  if (quoted !== undefined) return { kind: 'value', value: unquote(quoted) };
  if (number !== undefined) return { kind: 'value', value: Number(number) };
  if (word !== undefined) return { kind: 'word', text: word };
  if (symbol === undefined) return undefined;
  const [text = ''] = symbol.split('.', 1);
  return { kind: 'symbol', text, path: names(symbol.slice(text.length)) };
}

function names(path = ''): string[] {
  return path.split('.').filter((name) => name !== '');
}

function unquote(text: string): string {
  if (text.startsWith('`')) return text.slice(1, -1);
  const escapes: Record<string, string> = { n: '\n', t: '\t', r: '\r' };
  return text.slice(1, -1).replace(/\\(.)/g, (_, char: string) => escapes[char] ?? char);
}
