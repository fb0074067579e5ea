// SPDX-License-Identifier: Apache-2.0
import { delimiter, join } from 'node:path';
import { HrunError } from '../base/errors.ts';
import { isExecutable } from '../base/executable.ts';

/** The absolute path of a program in $PATH; HOST_SETUP, with the Debian package that has it, when it is not there. */
export function findProgram(name: string, debianPackage: string, env: NodeJS.ProcessEnv): string {
  for (const dir of (env.PATH ?? '/usr/bin:/bin').split(delimiter)) {
    const path = join(dir || '.', name);
    if (dir.startsWith('/') && isExecutable(path)) return path;
  }
  throw new HrunError('HOST_SETUP', `${name} is not installed, or not in PATH`, {
    hint: `run: apt-get install ${debianPackage}`,
  });
}
