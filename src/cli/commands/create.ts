// SPDX-License-Identifier: Apache-2.0
import { rootFromEnvironment } from '../../base/root.ts';
import { createContainer } from '../../core/create-container.ts';
import { checkCidFile, writeCidFile } from '../cid-file.ts';
import { defineCommand } from '../command.ts';
import {
  type ContainerFlags,
  containerOptions,
  declareContainerOptions,
} from '../options/container-options.ts';
import { progressView } from '../output/progress.ts';

interface CreateFlags extends ContainerFlags {
  cidfile?: string;
  quiet?: true;
}

export const command = defineCommand<CreateFlags, string>({
  name: 'create',
  failureExitCode: 125,
  configure: (command) => {
    command
      .description('Make a container without starting it, and print its ID.')
      .argument('<image>', 'name, digest or ID of an image; pulled when it is not there')
      .argument('[command...]', "replaces the image's command")
      .passThroughOptions();
    declareContainerOptions(command);
    command
      .option('--cidfile <file>', 'write the ID to a new file')
      .option('-q, --quiet', 'show no progress of a pull')
      .addHelpText('after', '\nExample:\n  hrun start -a $(hrun create debian echo hello)');
  },
  async run([image, ...args], flags, output) {
    const options = { ...containerOptions(image!, args, flags), awaitsStart: true };
    if (flags.cidfile !== undefined) checkCidFile(flags.cidfile);
    const view = progressView(output, flags.quiet);
    const created = await createContainer(rootFromEnvironment(), options, view.report).finally(() =>
      view.finish(),
    );
    created.release();
    if (created.remark !== undefined) output.notice(created.remark);
    if (flags.cidfile !== undefined) writeCidFile(flags.cidfile, created.id);
    return created.id;
  },
  print(id, output) {
    output.line(id);
    return undefined;
  },
});
