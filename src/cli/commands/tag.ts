// SPDX-License-Identifier: Apache-2.0
import { rootFromEnvironment } from '../../base/root.ts';
import { tagImage } from '../../core/tag.ts';
import { openImageStore } from '../../image/index.ts';
import { defineCommand } from '../command.ts';

export const command = defineCommand<object, void>({
  name: 'tag',
  configure: (command) =>
    command
      .description('Give an image one more name.')
      .argument('<source>', 'an image in the store')
      .argument('<target>', 'the new name'),
  async run([source, target]) {
    using store = await openImageStore(rootFromEnvironment());
    await tagImage(store, source!, target!);
  },
  print: () => undefined,
});
