// SPDX-License-Identifier: Apache-2.0
import { COMMANDS, commandsOf } from '../commands.ts';

/** The text of `hrun --help`. */
export function overview(): string {
  const commands = columns(Object.entries(COMMANDS).map(([name, { summary }]) => [name, summary]));
  return `Usage: hrun [run] [OPTIONS] IMAGE [COMMAND] [ARG...]
       hrun COMMAND [OPTIONS]

Runs Docker/OCI images, each container in its own micro-VM with its own kernel.

Examples:
  hrun -t ubuntu bash                     a shell in a new VM
  hrun run --rm debian cat /etc/os-release
  echo hello | hrun run -i --rm busybox cat
  hrun pull registry.example.com/team/app:1.2

Commands:
${commands}

Environment:
  HRUN_ROOT     where images and containers are kept (default: /var/lib/hrun as root)
  HRUN_DEBUG=1  show where an error came from

'hrun COMMAND --help' tells more about a command.
`;
}

/** The text of `hrun container --help` and the like. */
export function groupOverview(group: string): string {
  return `Usage: hrun ${group} COMMAND [OPTIONS]

Commands:
${columns(commandsOf(group))}

'hrun ${group} COMMAND --help' tells more about a command.
`;
}

function columns(commands: readonly (readonly [name: string, summary: string])[]): string {
  const width = Math.max(...commands.map(([name]) => name.length));
  return commands.map(([name, summary]) => `  ${name.padEnd(width)}  ${summary}`).join('\n');
}
