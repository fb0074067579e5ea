// SPDX-License-Identifier: Apache-2.0
import { Transform, type TransformCallback } from 'node:stream';
import { HrunError } from '../base/errors.ts';

/** Docker's. */
export const DETACH_KEYS = 'ctrl-p,ctrl-q';

/** The bytes of `ctrl-p,ctrl-q` or `a,ctrl-@`; USAGE for anything that is not keys. */
export function parseDetachKeys(text: string): number[] {
  return text.split(',').map((key) => {
    const [, control] = /^ctrl-([a-z@[\\\]^_])$/.exec(key) ?? [];
    if (control !== undefined) return control.toUpperCase().charCodeAt(0) & 0x1f;
    if (/^[\x21-\x7e]$/.test(key)) return key.charCodeAt(0);
    throw new HrunError('USAGE', `--detach-keys ${JSON.stringify(text)} is not a list of keys`, {
      hint: 'use single letters and ctrl-a to ctrl-z, @, [, \\, ], ^ or _, with commas between them',
    });
  });
}

/**
 * Passes bytes on until the keys are typed one after the other; then it calls `detached` and swallows the rest. The beginning of
 * the sequence is held back until it is known not to be one.
 */
export class DetachKeys extends Transform {
  readonly #keys: readonly number[];
  readonly #detached: () => void;
  #matched = 0;

  constructor(keys: readonly number[], detached: () => void) {
    super();
    this.#keys = keys;
    this.#detached = detached;
  }

  override _transform(chunk: Buffer, _encoding: string, done: TransformCallback): void {
    const passed: number[] = [];
    for (const byte of chunk) this.#take(byte, passed);
    if (passed.length > 0) this.push(Buffer.from(passed));
    done();
  }

  #take(byte: number, passed: number[]): void {
    if (this.#matched === this.#keys.length) return;
    if (byte !== this.#keys[this.#matched] && this.#matched > 0) {
      passed.push(...this.#keys.slice(0, this.#matched));
      this.#matched = 0;
    }
    if (byte !== this.#keys[this.#matched]) passed.push(byte);
    else if (++this.#matched === this.#keys.length) this.#detached();
  }
}
