// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../../base/errors.ts';
import { rootFromEnvironment } from '../../base/root.ts';
import { fileBytes, importImage } from '../../core/import.ts';
import { HOST_PLATFORM, parsePlatform } from '../../oci/index.ts';
import { defineCommand } from '../command.ts';
import { collect } from '../option.ts';
import { standardInput } from '../standard-input.ts';

interface ImportFlags {
  change: string[];
  message: string;
  platform?: string;
}

export const command = defineCommand<ImportFlags, string>({
  name: 'import',
  configure: (command) =>
    command
      .description(
        'Make an image of a tar archive, plain or packed with gzip or zstd: its files are the one layer.',
      )
      .argument('<file|->', 'an archive, "-" for standard input')
      .argument('[repository[:tag]]', 'name of the new image')
      .option('-c, --change <instruction>', 'apply a Dockerfile instruction to the image', collect, [])
      .option('-m, --message <text>', 'for the history of the image', '')
      .option('--platform <os/arch>', 'whose programs are in it')
      .addHelpText(
        'after',
        '\nExamples:\n  hrun import -c \'CMD ["sh"]\' rootfs.tar base:1\n  hrun export web | hrun import - web:flat',
      ),
  run([source, name], { change: changes, message, platform }) {
    if (/^https?:\/\//.test(source!)) {
      throw new HrunError('UNSUPPORTED', 'hrun does not download archives', {
        hint: `curl ${source} | hrun import -`,
      });
    }
    const chunks = source === '-' ? standardInput() : fileBytes(source!);
    const options = { name, message, changes, platform: platform ? parsePlatform(platform) : HOST_PLATFORM };
    return importImage(rootFromEnvironment(), source!, chunks, options);
  },
  print(id, output) {
    output.line(id);
    return undefined;
  },
});
