// SPDX-License-Identifier: Apache-2.0
import { templateError } from './lexer.ts';
import { printf } from './printf.ts';

/** The functions of a template: Go's basic ones and those Docker adds. */
export const FUNCTIONS: Readonly<Record<string, (...values: unknown[]) => unknown>> = {
  json: (value) => JSON.stringify(value === undefined ? null : value),
  upper: (value) => show(value).toUpperCase(),
  lower: (value) => show(value).toLowerCase(),
  title: (value) => show(value).replace(/\b[a-z]/g, (letter) => letter.toUpperCase()),
  join: (values, separator) => listOf(values).map(show).join(show(separator)),
  split: (value, separator) => show(value).split(show(separator)),
  truncate: (value, length) => show(value).slice(0, Number(length)),
  pad: (value, before, after) => ' '.repeat(Number(before)) + show(value) + ' '.repeat(Number(after)),
  len: (value) => (typeof value === 'string' ? Buffer.byteLength(value) : Object.keys(Object(value)).length),
  slice: (value, from, to) => part(value, from, to),
  index: (value, ...keys) => keys.reduce(at, value),
  print: (...values) => values.map(show).join(''),
  printf: (format, ...values) => printf(show(format), values, show),
  println: (...values) => `${values.map(show).join(' ')}\n`,
  eq: (first, ...others) => others.some((other) => other === first),
  ne: (a, b) => a !== b,
  lt: (a, b) => (a as number) < (b as number),
  le: (a, b) => (a as number) <= (b as number),
  gt: (a, b) => (a as number) > (b as number),
  ge: (a, b) => (a as number) >= (b as number),
  not: (value) => !isTrue(value),
  and: (...values) => values.find((value) => !isTrue(value)) ?? values.at(-1),
  or: (...values) => values.find(isTrue) ?? values.at(-1),
};

/** Go's truth: empty and zero are false. */
export function isTrue(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}

/** A value as Go's `%v` prints it. */
export function show(value: unknown): string {
  if (value === undefined || value === null) return '<no value>';
  if (Array.isArray(value)) return `[${value.map(show).join(' ')}]`;
  if (typeof value !== 'object') return String(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `map[${entries.map(([key, each]) => `${key}:${show(each)}`).join(' ')}]`;
}

/** A member of an array or table; no value when there is none. */
export function at(value: unknown, key: unknown): unknown {
  if (value === undefined || value === null) return undefined;
  return Object.hasOwn(Object(value), String(key))
    ? (value as Record<string, unknown>)[String(key)]
    : undefined;
}

/** Go's `slice`: bytes of a text, members of a list. */
function part(value: unknown, from: unknown = 0, to?: unknown): unknown {
  const whole = typeof value === 'string' ? Buffer.from(value) : listOf(value);
  const [start, end] = [Number(from), to === undefined ? whole.length : Number(to)];
  if (!(start >= 0 && start <= end && end <= whole.length)) {
    throw templateError(`slice ${start} to ${end} is outside of 0 to ${whole.length}`);
  }
  return Buffer.isBuffer(whole) ? whole.toString('utf8', start, end) : whole.slice(start, end);
}

function listOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  if (value === undefined || value === null) return [];
  throw templateError(`"${show(value).slice(0, 50)}" is not a list`);
}
