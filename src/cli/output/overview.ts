// SPDX-License-Identifier: Apache-2.0
import { COMMANDS } from '../commands.ts';

/** The text of `hrun --help`. */
export function overview(): string {
  const width = Math.max(...Object.keys(COMMANDS).map((name) => name.length));
  const commands = Object.entries(COMMANDS).map(
    ([name, entry]) => `  ${name.padEnd(width)}  ${entry.summary}`,
  );
  return `Usage: hrun [run] [OPTIONS] IMAGE [COMMAND] [ARG...]
       hrun COMMAND [OPTIONS]

Runs Docker/OCI images, each container in its own micro-VM with its own kernel.

Examples:
  hrun -t ubuntu bash                     a shell in a new VM
  hrun run --rm debian cat /etc/os-release
  echo hello | hrun run -i --rm busybox cat
  hrun pull registry.example.com/team/app:1.2

Commands:
${commands.join('\n')}

Environment:
  HRUN_ROOT     where images and containers are kept (default: /var/lib/hrun as root)
  HRUN_DEBUG=1  show where an error came from

'hrun COMMAND --help' tells more about a command.
`;
}
