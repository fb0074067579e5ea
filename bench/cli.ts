// SPDX-License-Identifier: Apache-2.0
// S5: the CLI's own start-up beside that of the same Node.js doing nothing.
import { join } from 'node:path';
import { measure, PROJECT, report } from './harness.ts';

const node = join(PROJECT, 'build/node');
const measured = measure(
  [
    { name: 'hrun version', argv: [join(PROJECT, 'bin/hrun'), 'version'] },
    { name: 'node -e 0', argv: [node, '-e', '0'] },
  ],
  { runs: 40, warmup: 3 },
);
const ratio = measured['hrun version']!.median / measured['node -e 0']!.median;
const kept = report('cli', measured, [{ id: 'S5', what: 'hrun version / node -e 0', ratio, atMost: 1.6 }]);
process.exitCode = kept ? 0 : 1;
