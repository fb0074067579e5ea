// SPDX-License-Identifier: Apache-2.0
import { Option } from 'commander';
import { rootFromEnvironment } from '../../base/root.ts';
import { wantsNic } from '../../core/join-networks.ts';
import { createTemplate } from '../../core/templates.ts';
import type { EngineName } from '../../vm/index.ts';
import { defineCommand } from '../command.ts';
import { engineOption } from '../options/engine.ts';
import { networkRequests } from '../options/network.ts';
import { parseMachineSize } from '../options/quantity.ts';

interface CreateOptions {
  engine: EngineName;
  cpus?: string;
  memory?: string;
  network?: string;
  nic?: boolean;
  wait: boolean;
}

export const command = defineCommand<CreateOptions, string | undefined>({
  name: 'template create',
  configure: (command) =>
    command
      .description(
        'Boot a machine that containers of its size and kind of network start from, and print its ID.',
      )
      .addOption(engineOption())
      .option('-m, --memory <bytes>', 'memory of the VM, as for run (default: 1g)')
      .option('--cpus <number>', 'CPUs of the VM, as for run (default: 1)')
      .option('--network <network>', 'that of the containers, as for run (env: HRUN_NETWORK)')
      .addOption(new Option('--nic', 'of containers with a tap interface').hideHelp())
      .addOption(new Option('--no-nic', 'of those without').hideHelp())
      .option('--no-wait', 'leave it to whoever makes it already'),
  run: async (_operands, { engine, cpus, memory, network, nic, wait }) => {
    const networks = networkRequests({ network: network ? [network] : [], net: [], networkAlias: [] });
    const request = { engine, ...parseMachineSize({ cpus, memory }), nic: nic ?? wantsNic(networks) };
    return await createTemplate(rootFromEnvironment(), request, { wait });
  },
  print(id, output) {
    if (id !== undefined) output.line(id);
    return undefined;
  },
});
