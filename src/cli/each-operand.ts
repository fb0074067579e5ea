// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../base/errors.ts';
import { describeError, type Output } from './output/index.ts';

/** As Docker's CLI has it. */
const MANY = 50;

/**
 * Calls `work` for each operand, `atOnce` of them at a time, and prints in their order what it returns, or why it failed. Returns the
 * exit code: 1 when any failed.
 */
export async function eachOperand(
  operands: readonly string[],
  output: Output,
  work: (operand: string) => Promise<string>,
  atOnce = MANY,
): Promise<number> {
  let failed = false;
  for (let start = 0; start < operands.length; start += atOnce) {
    const results = operands.slice(start, start + atOnce).map((operand) => outcome(work(operand)));
    for (const result of results) {
      const { text, error } = await result;
      if (error) output.notice(describeError(error, process.env.HRUN_DEBUG === '1'));
      else output.line(text);
      failed ||= error !== undefined;
    }
  }
  return failed ? 1 : 0;
}

/** A failure that a user cannot reach ends the command. */
async function outcome(work: Promise<string>): Promise<{ text: string; error?: HrunError }> {
  try {
    return { text: await work };
  } catch (error) {
    if (error instanceof HrunError) return { text: '', error };
    throw error;
  }
}
