// SPDX-License-Identifier: Apache-2.0
import { HrunError, hasCode } from '../../base/errors.ts';
import { type Root, rootFromEnvironment } from '../../base/root.ts';
import { inspectContainer } from '../../core/inspect-container.ts';
import { inspectImage } from '../../core/inspect-image.ts';
import { inspectNetwork } from '../../core/networks.ts';
import { inspectVolume } from '../../core/volumes.ts';
import { openImageStore } from '../../image/index.ts';
import { defineCommand } from '../command.ts';
import { describeError } from '../output/index.ts';
import { compileTemplate } from '../output/template/index.ts';

interface InspectOptions {
  format?: string;
  size?: true;
  type?: string;
}

interface Inspected {
  found: object[];
  failures: HrunError[];
}

export const command = defineCommand<InspectOptions, Inspected>({
  name: 'inspect',
  configure: (command) =>
    command
      .description('Show everything about containers, images, volumes or networks, as JSON.')
      .argument('<name...>', 'names or IDs')
      .option('-f, --format <template>', 'a Go template instead of JSON')
      .option('-s, --size', 'with what a container has written')
      .option('--type <type>', 'look only for this kind: container, image, volume or network'),
  async run(names, options) {
    const lookUps = lookUpsOf(options.type);
    const inspected: Inspected = { found: [], failures: [] };
    for (const name of names) {
      try {
        inspected.found.push(await lookUp(name, lookUps, options));
      } catch (error) {
        if (!(error instanceof HrunError)) throw error;
        inspected.failures.push(error);
      }
    }
    return inspected;
  },
  print({ found, failures }, output, { format }) {
    if (format === undefined || format === 'json') output.line(JSON.stringify(found, null, 4));
    else for (const each of found) output.line(compileTemplate(format)(each));
    for (const failure of failures) output.notice(describeError(failure, false));
    return failures.length > 0 ? 1 : undefined;
  },
});

type LookUp = (root: Root, name: string, options: InspectOptions) => Promise<object>;

/** What a name can mean, in the order in which it is tried; throws the code beside it when it means nothing. */
const KINDS: Readonly<Record<string, LookUp>> = {
  container: (root, name, { size }) => inspectContainer(root, name, { size: size === true }),
  image: inspectOneImage,
  volume: async (root, name) => inspectVolume(root, name),
  network: inspectNetwork,
};

function lookUpsOf(type: string | undefined): LookUp[] {
  if (type === undefined) return Object.values(KINDS);
  if (Object.hasOwn(KINDS, type)) return [KINDS[type]!];
  throw new HrunError('USAGE', `"${type}" is not a type`, { hint: `use ${Object.keys(KINDS).join(' or ')}` });
}

/** What cannot be an image's name may be another's. */
const MISSING = [
  'BAD_REFERENCE',
  'NO_SUCH_IMAGE',
  'NO_SUCH_CONTAINER',
  'NO_SUCH_VOLUME',
  'NO_SUCH_NETWORK',
] as const;

async function lookUp(name: string, lookUps: LookUp[], options: InspectOptions): Promise<object> {
  let missing: HrunError | undefined;
  for (const each of lookUps) {
    try {
      return await each(rootFromEnvironment(), name, options);
    } catch (error) {
      if (!MISSING.some((code) => hasCode(error, code))) throw error;
      missing = error as HrunError;
    }
  }
  if (lookUps.length === 1) throw missing!;
  throw new HrunError('NO_SUCH_CONTAINER', `no container, image, volume or network is called ${name}`, {
    hint: 'see: hrun ps -a, hrun images',
  });
}

async function inspectOneImage(root: Root, name: string): Promise<object> {
  using store = await openImageStore(root);
  return await inspectImage(store, name);
}
