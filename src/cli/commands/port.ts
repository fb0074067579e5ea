// SPDX-License-Identifier: Apache-2.0
import { rootFromEnvironment } from '../../base/root.ts';
import { containerPorts } from '../../core/list-ports.ts';
import { hostPortText } from '../../network/index.ts';
import { defineCommand } from '../command.ts';

export const command = defineCommand<object, string[]>({
  name: 'port',
  configure: (command) =>
    command
      .description("Show which ports of the host lead to a container's.")
      .argument('<container>', 'name or ID')
      .argument('[port[/protocol]]', "one of the container's ports"),
  async run([container, port]) {
    const ports = await containerPorts(rootFromEnvironment(), container!, port);
    return ports.map(({ protocol, port: own, hostIp, hostPort }) => {
      const host = hostPortText(hostIp, hostPort);
      return port === undefined ? `${own}/${protocol} -> ${host}` : host;
    });
  },
  print(lines, output) {
    for (const line of lines) output.line(line);
    return undefined;
  },
});
