// SPDX-License-Identifier: Apache-2.0
import { rootFromEnvironment } from '../../base/root.ts';
import { stopContainer } from '../../core/end-container.ts';
import { containersToStop } from '../../core/host-boot.ts';
import { defineCommand } from '../command.ts';
import { eachOperand } from '../each-operand.ts';
import { parseTimeout } from '../options/quantity.ts';

export const command = defineCommand<{ time?: string }, number>({
  name: 'system stop',
  configure: (command) =>
    command
      .description(
        'Stop all containers because the host goes down. It is no stop of the user: what has a restart policy runs again after "hrun system start".',
      )
      .option(
        '-t, --time <seconds>',
        "most seconds from the stop signal to SIGKILL (default: each container's)",
      ),
  async run(_operands, { time }, output) {
    const root = rootFromEnvironment();
    const limit = time === undefined ? undefined : parseTimeout(time, '--time');
    const options = { forHost: true, limit: limit === undefined || limit < 0 ? undefined : limit };
    return await eachOperand(await containersToStop(root), output, async (name) => {
      await stopContainer(root, name, options);
      return name;
    });
  },
  print: (exitCode) => exitCode,
});
