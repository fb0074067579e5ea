// SPDX-License-Identifier: Apache-2.0
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { HrunError } from '../base/errors.ts';

/** Asks on the terminal, through stderr; `hidden` does not show what is typed. Throws USAGE with `hint` without a terminal. */
export async function ask(question: string, options: { hidden?: boolean; hint: string }): Promise<string> {
  const { hidden = false, hint } = options;
  if (!process.stdin.isTTY) throw new HrunError('USAGE', 'no terminal to ask on', { hint });
  if (hidden) process.stderr.write(question);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({
    input: process.stdin,
    output: hidden ? silent : process.stderr,
    terminal: true,
  });
  const { promise: gone, reject } = Promise.withResolvers<never>();
  lines.once('SIGINT', () => {
    lines.close(); // the terminal is as it was
    process.kill(process.pid, 'SIGINT');
  });
  lines.once('close', () => reject(new HrunError('USAGE', 'nothing was typed')));
  try {
    return await Promise.race([lines.question(hidden ? '' : question), gone]);
  } finally {
    lines.close();
    if (hidden) process.stderr.write('\n');
  }
}

/** Asks a question whose answer is yes only if it begins with "y". Throws USAGE without a terminal. */
export async function confirm(question: string): Promise<boolean> {
  return /^y/i.test(await ask(question, { hint: 'use -f' }));
}

/** All of standard input as text, at most `limit` bytes, without the line's end. */
export async function readSecretFromStdin(limit = 64 * 1024): Promise<string> {
  const parts: Buffer[] = [];
  let total = 0;
  for await (const chunk of process.stdin) {
    total += chunk.length;
    if (total > limit) throw new HrunError('USAGE', `standard input holds more than ${limit} bytes`);
    parts.push(chunk);
  }
  return Buffer.concat(parts)
    .toString()
    .replace(/\r?\n$/, '');
}
