// SPDX-License-Identifier: Apache-2.0
import { logout } from '../../core/login.ts';
import { defineCommand } from '../command.ts';

export const command = defineCommand<object, { registry: string; known: boolean }>({
  name: 'logout',
  configure: (command) =>
    command
      .description('Forget the login for a registry.')
      .argument('[server]', 'HOST[:PORT], Docker Hub by default'),
  run: ([server]) => logout(server),
  print({ registry, known }, output) {
    output.line(known ? `Removing login credentials for ${registry}` : `Not logged in to ${registry}`);
    return undefined;
  },
});
