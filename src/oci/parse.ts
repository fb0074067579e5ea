// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../base/errors.ts';

/** A validator that scripts/generate-validators.ts compiled from a schema. */
export interface Validator {
  (data: unknown): boolean;
  errors?: { instancePath: string; message?: string; params?: { additionalProperty?: string } }[] | null;
}

/**
 * Parses the JSON object in `bytes`, which somebody else wrote; with `validate` also checks it. Throws
 * BAD_IMAGE that names `where`.
 */
export function parseJson<T>(bytes: Uint8Array, where: string, validate?: Validator): T {
  const value = decode(bytes, where);
  return validate ? checkShape<T>(value, validate, where) : (value as T);
}

/** `value` as a T if `validate` accepts it, else BAD_IMAGE with the first thing that is wrong. */
export function checkShape<T>(value: unknown, validate: Validator, where: string): T {
  if (validate(value)) return value as T;
  const [first] = validate.errors ?? [];
  const place = first?.instancePath ? ` at ${first.instancePath.slice(0, 100)}` : '';
  throw new HrunError('BAD_IMAGE', `${where} is malformed${place}: ${first?.message ?? 'invalid'}`);
}

function decode(bytes: Uint8Array, where: string): object {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new HrunError('BAD_IMAGE', `${where} is not JSON`, { cause: error });
  }
  if (typeof value === 'object' && value !== null) return value;
  throw new HrunError('BAD_IMAGE', `${where} is not a JSON object`);
}
