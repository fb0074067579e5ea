// SPDX-License-Identifier: Apache-2.0
import { isatty } from 'node:tty';
import { HrunError } from '../../base/errors.ts';
import { rootFromEnvironment } from '../../base/root.ts';
import { saveImages, saveImagesTo } from '../../core/save.ts';
import { type ArchiveFormat, openImageStore } from '../../image/index.ts';
import { defineCommand } from '../command.ts';

interface SaveOptions {
  output?: string;
  format: string;
}

export const command = defineCommand<SaveOptions, void>({
  name: 'save',
  configure: (command) =>
    command
      .description('Save images as one archive, which docker, podman, skopeo and hrun can load.')
      .argument('<image...>', 'names or IDs')
      .option('-o, --output <file>', 'a file instead of standard output')
      .option('--format <format>', 'docker-archive or oci-archive', 'docker-archive')
      .addHelpText(
        'after',
        '\nExamples:\n  hrun save -o debian.tar debian\n  hrun save debian | docker load',
      ),
  async run(images, { output: path = '-', format }, output) {
    const checked = formatOf(format);
    if (path === '-' && isatty(1)) {
      throw new HrunError('USAGE', 'an archive is not for a terminal', {
        hint: 'use -o FILE or redirect standard output',
      });
    }
    using store = await openImageStore(rootFromEnvironment(), { write: true });
    if (path === '-') await saveImages(store, images, checked, async (bytes) => output.write(bytes));
    else await saveImagesTo(store, images, checked, path);
  },
  print: () => undefined,
});

function formatOf(text: string): ArchiveFormat {
  if (text === 'docker-archive' || text === 'oci-archive') return text;
  throw new HrunError('USAGE', `"${text}" is not an archive format`, {
    hint: 'use docker-archive or oci-archive',
  });
}
