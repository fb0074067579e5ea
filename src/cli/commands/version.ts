// SPDX-License-Identifier: Apache-2.0
import { hrunVersion } from '../../base/version.ts';
import { HOST_PLATFORM } from '../../oci/platform.ts';
import { defineCommand } from '../command.ts';
import { formatList } from '../output/format.ts';

interface VersionOptions {
  format?: string;
}

/** As `--format` sees it: Docker's field names. */
interface Half {
  Version: string;
  Os: string;
  Arch: string;
}

interface Version {
  Client: Half & { NodeVersion: string };
  /** no daemon is asked: what scripts look for here is the client's own */
  Server: Half;
}

export const command = defineCommand<VersionOptions, Version>({
  name: 'version',
  configure: (command) =>
    command
      .description('Show the version of hrun and of the Node.js that runs it.')
      .option('-f, --format <format>', 'json, or a Go template'),
  run: async () => readVersion(),
  print(version, output, { format }) {
    output.write(format === undefined ? sentence(version) : formatList([version], {}, format));
    return undefined;
  },
});

function sentence({ Client: { Version, Os, Arch, NodeVersion } }: Version): string {
  return `hrun version ${Version} (${Os}/${Arch}, Node.js ${NodeVersion})\n`;
}

function readVersion(): Version {
  const half = { Version: hrunVersion(), Os: HOST_PLATFORM.os, Arch: HOST_PLATFORM.architecture };
  return { Client: { ...half, NodeVersion: process.versions.node }, Server: half };
}
