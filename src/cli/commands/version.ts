// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { installDir } from '../../base/root.ts';
import { defineCommand } from '../command.ts';

interface Version {
  version: string;
  node: string;
  platform: string;
}

export const command = defineCommand<object, Version>({
  name: 'version',
  configure: (command) => command.description('Show the version of hrun and of the Node.js that runs it.'),
  run: async () => readVersion(),
  print(version, output) {
    output.line(`hrun version ${version.version} (${version.platform}, Node.js ${version.node})`);
    return undefined;
  },
});

function readVersion(): Version {
  const { version } = JSON.parse(readFileSync(join(installDir(), 'package.json'), 'utf8')) as {
    version: string;
  };
  return { version, node: process.versions.node, platform: `${process.platform}/${process.arch}` };
}
