// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../../base/errors.ts';
import { login, registryName } from '../../core/login.ts';
import { defineCommand } from '../command.ts';
import type { Output } from '../output/index.ts';
import { ask, readSecretFromStdin } from '../prompt.ts';

interface LoginOptions {
  username?: string;
  password?: string;
  passwordStdin?: boolean;
}

const HINT = 'use -u USER with --password-stdin';

export const command = defineCommand<LoginOptions, void>({
  name: 'login',
  configure: (command) =>
    command
      .description('Log in to a registry; the login is kept where docker keeps it (~/.docker/config.json).')
      .argument('[server]', 'HOST[:PORT], Docker Hub by default')
      .option('-u, --username <name>', 'user name')
      .option('-p, --password <password>', 'password; others on this host can see it, better is:')
      .option('--password-stdin', 'read the password from standard input'),
  async run([server], options, output) {
    registryName(server);
    const username = options.username ?? (await ask('Username: ', { hint: HINT }));
    if (!username) throw new HrunError('USAGE', 'a user name is needed');
    const password = await passwordFrom(options, output);
    if (!password) throw new HrunError('USAGE', 'a password is needed');
    await login(server, username, password);
  },
  print(_, output) {
    output.line('Login Succeeded');
    return undefined;
  },
});

async function passwordFrom(options: LoginOptions, output: Output): Promise<string> {
  if (options.passwordStdin) {
    if (options.password !== undefined)
      throw new HrunError('USAGE', '--password and --password-stdin exclude each other');
    if (options.username === undefined) throw new HrunError('USAGE', '--password-stdin needs --username');
    return await readSecretFromStdin();
  }
  if (options.password === undefined) return await ask('Password: ', { hidden: true, hint: HINT });
  output.notice('a password on the command line can be seen by others; use --password-stdin');
  return options.password;
}
