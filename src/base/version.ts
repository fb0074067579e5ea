// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { installDir } from './root.ts';

/** hrun's version, as its package.json has it. */
export function hrunVersion(): string {
  const text = readFileSync(join(installDir(), 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
