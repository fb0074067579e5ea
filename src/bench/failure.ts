// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../base/errors.ts';

/** Something that is measured does not work: a bench without it would mislead. */
export class BenchFailure extends HrunError {
  constructor(name: string, why: string, argv?: readonly string[]) {
    super('BENCH_FAILED', `${name} failed: ${why}`, argv && { hint: `run it by hand: ${argv.join(' ')}` });
  }
}
