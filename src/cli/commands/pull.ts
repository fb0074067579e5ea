// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../base/digest.ts';
import { HrunError } from '../../base/errors.ts';
import { rootFromEnvironment } from '../../base/root.ts';
import { pullAllTags, pullImage } from '../../core/pull.ts';
import { openImageStore } from '../../image/index.ts';
import { parsePlatform } from '../../oci/index.ts';
import {
  familiarName,
  fullName,
  parseReference,
  type Reference,
  withDefaultTag,
} from '../../registry/index.ts';
import { defineCommand } from '../command.ts';
import type { Output } from '../output/index.ts';
import { progressView } from '../output/progress.ts';

interface PullOptions {
  allTags?: boolean;
  quiet?: boolean;
  platform?: string;
}

interface Pulled {
  name: Reference;
  digest: Digest;
  changed: boolean;
}

export const command = defineCommand<PullOptions, Pulled[]>({
  name: 'pull',
  configure: (command) =>
    command
      .description('Pull an image from a registry.')
      .argument('<image>', '[REGISTRY/]NAME[:TAG|@DIGEST]')
      .option('-a, --all-tags', 'pull all tags of the repository')
      .option('-q, --quiet', 'show no progress, print only the name')
      .option('--platform <os/arch>', 'pull the image for this platform')
      .addHelpText('after', '\nExample:\n  hrun pull debian:bookworm'),
  run: ([image], options, output) => pull(image!, options, output),
  print(pulled, output, { quiet }) {
    for (const { name, digest, changed } of pulled) {
      if (!quiet) {
        const status = changed ? 'Downloaded newer image for' : 'Image is up to date for';
        output.line(`Digest: ${digest}`);
        output.line(`Status: ${status} ${familiarName(name)}`);
      }
      output.line(fullName(name));
    }
    return undefined;
  },
});

async function pull(text: string, options: PullOptions, output: Output): Promise<Pulled[]> {
  const given = parseReference(text);
  if (options.allTags && (given.tag || given.digest)) {
    throw new HrunError('USAGE', '--all-tags does not go with a tag or a digest');
  }
  const platform = options.platform === undefined ? undefined : parsePlatform(options.platform);
  const view = progressView(output, options.quiet);
  using store = await openImageStore(rootFromEnvironment(), { write: true });
  try {
    const pullOptions = { platform, report: view.report };
    if (options.allTags) {
      const all = await pullAllTags(store, given, pullOptions);
      return all.map(({ name, pulled }) => ({ name, digest: pulled.digest, changed: pulled.changed }));
    }
    const name = withDefaultTag(given);
    if (!options.quiet && name !== given) output.progress(`Using default tag: ${name.tag}\n`);
    const { digest, changed } = await pullImage(store, name, pullOptions);
    return [{ name, digest, changed }];
  } finally {
    view.finish();
  }
}
