// SPDX-License-Identifier: Apache-2.0
// Docker's options that share a namespace, or keep it apart: a container in a VM of its own shares none with the host or another.
import type { Command } from 'commander';
import { HrunError } from '../../base/errors.ts';

/** Values that ask for what is so anyway. */
const ALREADY_SO: Readonly<Record<string, readonly string[]>> = {
  '--cgroupns': ['private'],
  '--ipc': ['private', 'shareable'],
  '--isolation': ['default'],
  '--pid': [],
  '--runtime': ['hrun'],
  '--userns': [],
  '--uts': [],
};

/** Declares them; UNSUPPORTED for a value that a VM of its own rules out. */
export function declareNamespaceOptions(command: Command): void {
  for (const [option, values] of Object.entries(ALREADY_SO)) {
    const check = (value: string) => {
      if (values.includes(value) || value === '') return value;
      const others = values.length > 0 ? `, or use ${values.join(' or ')}` : '';
      throw new HrunError(
        'UNSUPPORTED',
        `${option} ${value} is not supported: the container has a kernel of its own`,
        {
          hint: `leave it out${others}`,
        },
      );
    };
    const hidden = command.createOption(`${option} <mode>`).argParser(check).hideHelp();
    command.addOption(hidden);
  }
}
