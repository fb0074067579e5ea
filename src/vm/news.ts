// SPDX-License-Identifier: Apache-2.0
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeDirectory } from '../base/directory.ts';
import { errnoOf } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import { hostBoot } from './kvm-verdict.ts';

/** True once for each fact about a subject and boot of the host: what is true of the host is said once. */
export async function isNews(root: Root, subject: string, fact: string): Promise<boolean> {
  const path = join(root.cache, `${subject}-remark`);
  const news = `${hostBoot()} ${fact}\n`;
  try {
    if (readFileSync(path, 'utf8') === news) return false;
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') return false;
  }
  try {
    await makeDirectory(root.cache, 0o700);
    writeFileSync(path, news, { mode: 0o600 });
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
  }
  return true;
}
