// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../../base/errors.ts';
import { rootFromEnvironment } from '../../base/root.ts';
import { loadImages } from '../../core/load.ts';
import { type LoadedImage, openImageStore, STDIN } from '../../image/index.ts';
import { HOST_PLATFORM, parsePlatform } from '../../oci/index.ts';
import { familiarName } from '../../registry/index.ts';
import { defineCommand } from '../command.ts';

interface LoadOptions {
  input?: string;
  platform?: string;
  quiet?: boolean;
}

export const command = defineCommand<LoadOptions, LoadedImage[]>({
  name: 'load',
  configure: (command) =>
    command
      .description(
        'Load images from an archive: docker-archive, oci-archive, or the directory of an OCI layout.',
      )
      .option('-i, --input <path>', 'a file or a directory instead of standard input')
      .option('--platform <os/arch>', 'load the image for this platform')
      .option('-q, --quiet', 'accepted as Docker does; there is no progress to hide')
      .addHelpText('after', '\nExamples:\n  hrun load -i debian.tar\n  docker save debian | hrun load'),
  async run(_, { input = STDIN, platform }) {
    if (input === STDIN && process.stdin.isTTY) {
      throw new HrunError('USAGE', 'nothing to load: standard input is a terminal', { hint: 'use -i FILE' });
    }
    using store = await openImageStore(rootFromEnvironment(), { write: true });
    return await loadImages(store, input, platform === undefined ? HOST_PLATFORM : parsePlatform(platform));
  },
  print(loaded, output) {
    for (const { names, id } of loaded) {
      for (const name of names) output.line(`Loaded image: ${familiarName(name)}`);
      if (names.length === 0) output.line(`Loaded image ID: ${id}`);
    }
    return undefined;
  },
});
