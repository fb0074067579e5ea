// SPDX-License-Identifier: Apache-2.0
import { rootFromEnvironment } from '../../base/root.ts';
import { connectNetwork } from '../../core/connect-network.ts';
import { defineCommand } from '../command.ts';
import { collect } from '../option.ts';
import { checkAlias } from '../options/network.ts';

interface ConnectOptions {
  alias: string[];
  ip?: string;
  ip6?: string;
  macAddress?: string;
}

export const command = defineCommand<ConnectOptions, void>({
  name: 'network connect',
  configure: (command) =>
    command
      .description('Connect a container to a network, at once if it runs.')
      .argument('<network>', 'name or ID')
      .argument('<container>', 'name or ID')
      .option('--alias <name>', 'one more name for the other containers of the network', collect, [])
      .option('--ip <address>', 'its IPv4 address in the network (default: the lowest free one)')
      .option('--ip6 <address>', 'its IPv6 address in the network, if that has IPv6')
      .option('--mac-address <address>', 'its MAC address in the network'),
  run: ([network, container], { alias, ip, ip6, macAddress }) =>
    connectNetwork(rootFromEnvironment(), {
      ...{ network: network!, container: container!, ip, ip6, macAddress },
      aliases: alias.map((name) => checkAlias(name, '--alias')),
    }),
  print: () => undefined,
});
