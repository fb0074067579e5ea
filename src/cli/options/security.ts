// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../../base/errors.ts';

/** What --security-opt asks for. */
export interface SecurityOptions {
  noNewPrivileges: boolean;
  unconfinedPaths: boolean;
}

/** Asked-for absences of things that a container in a VM of its own never has. */
const ALREADY_SO = /^(?:seccomp|apparmor)[=:]unconfined$|^label[=:]disable$/;

/** Parses all --security-opt; UNSUPPORTED for what hrun does not have. */
export function parseSecurityOptions(entries: readonly string[]): SecurityOptions {
  const options = { noNewPrivileges: false, unconfinedPaths: false };
  for (const entry of entries) {
    const flag = /^no-new-privileges(?:[=:](true|false))?$/.exec(entry);
    if (flag) options.noNewPrivileges = flag[1] !== 'false';
    else if (/^systempaths[=:]unconfined$/.test(entry)) options.unconfinedPaths = true;
    else if (!ALREADY_SO.test(entry)) {
      throw new HrunError('UNSUPPORTED', `--security-opt ${entry} is not supported`, {
        hint: 'the container has a kernel of its own; no-new-privileges and systempaths=unconfined are',
      });
    }
  }
  return options;
}
