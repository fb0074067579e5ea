// SPDX-License-Identifier: Apache-2.0
import { isatty } from 'node:tty';
import { HrunError } from '../../base/errors.ts';
import { rootFromEnvironment } from '../../base/root.ts';
import { archiveToContainer, copyToContainer } from '../../core/copy-in.ts';
import { archiveFromContainer, copyFromContainer } from '../../core/copy-out.ts';
import { splitContainerPath } from '../../core/copy-rules.ts';
import { defineCommand } from '../command.ts';
import type { Output } from '../output/index.ts';
import { formatSize } from '../output/units.ts';
import { standardInput } from '../standard-input.ts';

interface CpOptions {
  archive?: true;
  followLink?: true;
  quiet?: true;
}

type Side = { container: string; path: string };

export const command = defineCommand<CpOptions, void>({
  name: 'cp',
  configure: (command) =>
    command
      .usage(
        '[options] CONTAINER:SRC_PATH DEST_PATH|-\n       hrun cp [options] SRC_PATH|- CONTAINER:DEST_PATH',
      )
      .description(
        'Copy files between a container, running or not, and the host. "-" as the source is a tar archive on standard input, ' +
          'as the destination one on standard output.',
      )
      .argument('<source>')
      .argument('<destination>')
      .option('-a, --archive', "keep owners; into a container: all belongs to the container's user")
      .option('-L, --follow-link', 'follow a symbolic link at the source')
      .option('-q, --quiet', 'do not say what was copied')
      .addHelpText('after', EXAMPLES),
  run: ([source, destination], options, output) => copy(source!, destination!, options, output),
  print: () => undefined,
});

const EXAMPLES = `
Examples:
  hrun cp web:/etc/nginx/nginx.conf .
  hrun cp site/. web:/usr/share/nginx/html
  hrun cp web:/var/log - | tar x`;

async function copy(source: string, destination: string, options: CpOptions, output: Output): Promise<void> {
  const [from, to] = [splitContainerPath(source), splitContainerPath(destination)];
  if (from && to) throw new HrunError('USAGE', 'copying between containers is not supported');
  if (from) await copyOut(from, destination, options, output);
  else if (to) await copyIn(source, to, options, output);
  else {
    throw new HrunError('USAGE', 'must specify at least one container source', {
      hint: 'see: hrun cp --help',
    });
  }
}

async function copyOut(from: Side, target: string, options: CpOptions, output: Output): Promise<void> {
  const root = rootFromEnvironment();
  const followLink = options.followLink === true;
  if (target === '-') {
    if (isatty(1)) {
      throw new HrunError('USAGE', 'an archive is not for a terminal', { hint: 'redirect standard output' });
    }
    await archiveFromContainer(root, from, { followLink }, (bytes) => output.write(bytes));
    return;
  }
  const copied = counter();
  await copyFromContainer(root, from, target, {
    ...{ archive: options.archive === true, followLink, progress: copied.add },
    leftOut: (what) => output.notice(what),
  });
  if (!options.quiet) output.progress(`Successfully copied ${formatSize(copied.bytes)} to ${target}\n`);
}

async function copyIn(source: string, to: Side, options: CpOptions, output: Output): Promise<void> {
  const root = rootFromEnvironment();
  const archive = options.archive === true;
  const copied = counter();
  if (source === '-') await archiveToContainer(root, standardInput(), to, { archive });
  else {
    const followLink = options.followLink === true;
    await copyToContainer(root, source, to, { archive, followLink, progress: copied.add });
    const where = `${to.container}:${to.path}`;
    if (!options.quiet) output.progress(`Successfully copied ${formatSize(copied.bytes)} to ${where}\n`);
  }
}

function counter() {
  const count = {
    bytes: 0,
    add: (more: number) => {
      count.bytes += more;
    },
  };
  return count;
}
