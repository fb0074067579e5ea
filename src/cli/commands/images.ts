// SPDX-License-Identifier: Apache-2.0
import { rootFromEnvironment } from '../../base/root.ts';
import { listImageRows, parseImageFilters } from '../../core/images.ts';
import { createdMs, openImageStore } from '../../image/index.ts';
import { defineCommand } from '../command.ts';
import { collect } from '../option.ts';
import { type Columns, formatList } from '../output/format.ts';
import { formatAge, formatMoment, formatSize } from '../output/units.ts';

interface ImagesOptions {
  all?: boolean;
  digests?: boolean;
  filter: string[];
  format?: string;
  trunc: boolean;
  quiet?: boolean;
}

/** A row as `--format` sees it: Docker's field names. */
interface Shown {
  Containers: string;
  CreatedAt: string;
  CreatedSince: string;
  Digest: string;
  ID: string;
  Repository: string;
  SharedSize: string;
  Size: string;
  Tag: string;
  UniqueSize: string;
}

const NONE = '<none>';

export const command = defineCommand<ImagesOptions, Shown[]>({
  name: 'images',
  configure: (command) =>
    command
      .description('List images.')
      .argument('[repository]', 'show only this repository, or this name with its tag')
      .option('-a, --all', 'show all images (there are no hidden ones)')
      .option('--digests', 'show digests')
      .option('-f, --filter <key=value>', 'reference=, dangling=, label=, before= or since=', collect, [])
      .option('--format <format>', 'table, json, or a Go template')
      .option('--no-trunc', 'show whole IDs')
      .option('-q, --quiet', 'show only IDs'),
  async run([repository], { filter, trunc }) {
    using store = await openImageStore(rootFromEnvironment());
    const wanted = repository === undefined ? filter : [...filter, `reference=${repository}`];
    const rows = await listImageRows(store, parseImageFilters(wanted));
    return rows.map(({ image, repository: name, tag, digest, size }) => ({
      Containers: 'N/A',
      CreatedAt: createdMs(image) > 0 ? formatMoment(createdMs(image)) : 'N/A',
      CreatedSince: createdMs(image) > 0 ? formatAge(createdMs(image)) : 'N/A',
      Digest: digest ?? NONE,
      ID: trunc ? image.id.slice('sha256:'.length, 'sha256:'.length + 12) : image.id,
      Repository: name ?? NONE,
      SharedSize: 'N/A',
      Size: formatSize(size),
      Tag: tag ?? NONE,
      UniqueSize: 'N/A',
    }));
  },
  print(rows, output, { quiet, digests, format }) {
    if (quiet)
      output.write(
        unique(rows.map((row) => row.ID))
          .map((id) => `${id}\n`)
          .join(''),
      );
    else output.write(formatList(rows, columns(digests === true), format));
    return undefined;
  },
});

function columns(digests: boolean): Columns<Shown> {
  return {
    REPOSITORY: 'Repository',
    TAG: 'Tag',
    ...(digests && { DIGEST: 'Digest' }),
    'IMAGE ID': 'ID',
    CREATED: 'CreatedSince',
    SIZE: 'Size',
  };
}

function unique(texts: string[]): string[] {
  return [...new Set(texts)];
}
