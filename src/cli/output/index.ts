// SPDX-License-Identifier: Apache-2.0
export { exitCodeOf } from './exit-codes.ts';
export { describeError } from './failure.ts';
export { type Output, processOutput } from './output.ts';
