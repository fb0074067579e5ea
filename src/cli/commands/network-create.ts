// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../../base/errors.ts';
import { rootFromEnvironment } from '../../base/root.ts';
import { createNamedNetwork } from '../../core/networks.ts';
import { defineCommand } from '../command.ts';
import { collect } from '../option.ts';
import { parseLabels, parseOptions } from '../options/key-value.ts';

interface CreateOptions {
  driver: string;
  gateway: string[];
  internal?: true;
  ipRange: string[];
  ipv6?: true;
  label: string[];
  opt: string[];
  subnet: string[];
}

export const command = defineCommand<CreateOptions, string>({
  name: 'network create',
  configure: (command) =>
    command
      .description('Make a network, and print its ID.')
      .argument('<network>', 'its name')
      .option('-d, --driver <driver>', 'there is only bridge', 'bridge')
      .option('--gateway <address>', "the host's address in it (default: the lowest)", collect, [])
      .option('--internal', 'nothing but its own containers and the host can be reached')
      .option(
        '--ip-range <subnet>',
        'the part of the subnet from which containers get addresses',
        collect,
        [],
      )
      .option('--ipv6', 'IPv6 beside IPv4, by a --subnet of its own (default: a random one of fd00::/8)')
      .option('--label <key[=value]>', 'set a label', collect, [])
      .option('-o, --opt <key=value>', 'mtu=1400: largest packet in bytes', collect, [])
      .option(
        '--subnet <subnet>',
        'its addresses, such as 10.5.0.0/24 (default: some that this host does not use); with --ipv6 once more',
        collect,
        [],
      ),
  async run([name], { driver, gateway, internal, ipRange, ipv6, label, opt, subnet }) {
    if (driver !== 'bridge') {
      throw new HrunError('USAGE', `there is no network driver "${driver}"`, { hint: 'use bridge' });
    }
    return await createNamedNetwork(rootFromEnvironment(), {
      ...{ name: name!, subnets: subnet, gateways: gateway, ipRanges: ipRange },
      ...{ ipv6: ipv6 === true, internal: internal === true },
      labels: parseLabels(label),
      options: parseOptions(opt, '--opt'),
    });
  },
  print(id, output) {
    output.line(id);
    return undefined;
  },
});
