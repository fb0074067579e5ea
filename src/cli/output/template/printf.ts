// SPDX-License-Identifier: Apache-2.0
import { templateError } from './lexer.ts';

const VERB = /%([-+ 0#]*)(\d+)?(?:\.(\d+))?([a-zA-Z%])/g;
/** A template cannot fill the memory: Go's limit. */
const MAX_WIDTH = 1_000_000;

interface Format {
  flags: string;
  precision: number | undefined;
}

/** `printf` of Go's fmt for the verbs `v s d q t f x`, with width, precision and the flags `-`, `+` and `0`. */
export function printf(format: string, values: readonly unknown[], show: (value: unknown) => string): string {
  const left = [...values];
  const text = format.replace(VERB, (_, flags: string, width = '0', precision?: string, verb = '') => {
    if (verb === '%') return '%';
    if (left.length === 0) return `%!${verb}(MISSING)`;
    const value = left.shift();
    const digits = precision === undefined ? undefined : bounded(precision);
    return padded(formatted(verb, value, { flags, precision: digits }, show), flags, bounded(width));
  });
  return left.length === 0 ? text : `${text}%!(EXTRA ${left.map(show).join(', ')})`;
}

function formatted(
  verb: string,
  value: unknown,
  { flags, precision }: Format,
  show: (value: unknown) => string,
): string {
  const text = show(value);
  const cut = precision === undefined ? text : [...text].slice(0, precision).join('');
  const sign = flags.includes('+') && Number(value) >= 0 ? '+' : '';
  switch (verb) {
    case 'v':
    case 's':
    case 't':
      return cut;
    case 'q':
      return JSON.stringify(cut);
    case 'd':
      return typeof value === 'number' ? sign + Math.trunc(value) : `%!d(${text})`;
    case 'f':
      return typeof value === 'number' ? sign + value.toFixed(Math.min(precision ?? 6, 100)) : `%!f(${text})`;
    case 'x':
      return typeof value === 'number' ? value.toString(16) : Buffer.from(text).toString('hex');
    default:
      throw templateError(`printf does not know %${verb}`);
  }
}

function padded(text: string, flags: string, width: number): string {
  const missing = Math.max(0, width - [...text].length);
  if (flags.includes('-')) return text + ' '.repeat(missing);
  if (!flags.includes('0')) return ' '.repeat(missing) + text;
  const sign = /^[-+]/.exec(text)?.[0] ?? '';
  return sign + '0'.repeat(missing) + text.slice(sign.length);
}

function bounded(digits: string): number {
  const number = Number(digits);
  if (number <= MAX_WIDTH) return number;
  throw templateError(`a width of ${digits} is too much`);
}
