// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../../base/errors.ts';
import { rootFromEnvironment } from '../../base/root.ts';
import { type ContainerConfig, type ContainerMount, shortId } from '../../container/index.ts';
import { filterContainers, parseContainerFilters, wantsStopped } from '../../core/container-filters.ts';
import { type ContainerSize, containerSizes } from '../../core/container-size.ts';
import { type ListedContainer, listContainers } from '../../core/list-containers.ts';
import { portsText } from '../../core/list-ports.ts';
import { statusText } from '../../core/status-text.ts';
import { defineCommand } from '../command.ts';
import { collect } from '../option.ts';
import { type Columns, formatList } from '../output/format.ts';
import { type LabelFields, labelFields } from '../output/labels.ts';
import { formatAge, formatDuration, formatMoment, formatSize, shortened } from '../output/units.ts';

interface PsOptions {
  all?: true;
  filter: string[];
  format?: string;
  last?: string;
  latest?: true;
  quiet?: true;
  size?: true;
  trunc: boolean;
}

/** A row as `--format` sees it: Docker's field names. */
interface Shown extends LabelFields {
  Command: string;
  CreatedAt: string;
  ID: string;
  Image: string;
  LocalVolumes: string;
  Mounts: string;
  Names: string;
  Networks: string;
  Ports: string;
  RunningFor: string;
  Size: string;
  State: string;
  Status: string;
}

const MAX_COMMAND = 20;
const MAX_MOUNT = 15;

export const command = defineCommand<PsOptions, Shown[]>({
  name: 'ps',
  configure: (command) =>
    command
      .description('List containers.')
      .option('-a, --all', 'also those that do not run')
      .option(
        '-f, --filter <key=value>',
        'status=, health=, name=, label=, ancestor=, exited=, id=, volume=, network=, publish=, expose=, before=, since=',
        collect,
        [],
      )
      .option('--format <format>', 'table, json, or a Go template')
      .option('-n, --last <number>', 'the newest ones, whatever their state')
      .option('-l, --latest', 'the newest one, whatever its state')
      .option('--no-trunc', 'show whole IDs and commands')
      .option('-q, --quiet', 'only their IDs')
      .option('-s, --size', 'show how much they have written'),
  async run(_operands, options) {
    const root = rootFromEnvironment();
    const filters = parseContainerFilters(options.filter);
    const last = options.latest ? 1 : lastOf(options.last);
    const all = options.all === true || last > 0 || wantsStopped(filters);
    const containers = await filterContainers(root, await listContainers(root, { all }), filters);
    const listed = containers.slice(0, last > 0 ? last : undefined);
    const sizes = wantsSize(options) ? await containerSizes(root, configsOf(listed)) : [];
    return listed.map((container, index) => shown(container, options, sizes[index]));
  },
  print(rows, output, { quiet, format, size }) {
    if (quiet) output.write(rows.map(({ ID }) => `${ID}\n`).join(''));
    else output.write(formatList(rows, columns(size === true), format));
    return undefined;
  },
});

/** -n: as Docker, less than one is no limit. */
function lastOf(text = '0'): number {
  if (/^-?\d{1,9}$/.test(text)) return Number(text);
  throw new HrunError('USAGE', `--last ${JSON.stringify(text)} is not a number`, {
    hint: 'for example -n 5',
  });
}

function columns(size: boolean): Columns<Shown> {
  return {
    'CONTAINER ID': 'ID',
    IMAGE: 'Image',
    COMMAND: 'Command',
    CREATED: 'RunningFor',
    STATUS: 'Status',
    PORTS: 'Ports',
    NAMES: 'Names',
    ...(size && { SIZE: 'Size' }),
  };
}

function configsOf(containers: readonly ListedContainer[]): ContainerConfig[] {
  return containers.map(({ config }) => config);
}

function wantsSize({ size, format = '' }: PsOptions): boolean {
  return size === true || /\{\{[^}]*\.Size\b/.test(format);
}

function shown(container: ListedContainer, { trunc }: PsOptions, size: ContainerSize | undefined): Shown {
  const { config, state } = container;
  const line = config.process.args.join(' ');
  const created = Date.parse(config.created);
  return {
    Command: JSON.stringify(trunc ? shortened(line, MAX_COMMAND) : line),
    CreatedAt: formatMoment(created),
    ID: trunc ? shortId(config.id) : config.id,
    Image: config.image,
    ...labelFields(config.labels),
    LocalVolumes: String(config.mounts.filter(({ type }) => type === 'volume').length),
    Mounts: config.mounts.map((mount) => mountName(mount, trunc)).join(','),
    Names: config.name,
    Networks: config.networks.map(({ network }) => network).join(',') || config.host.cni?.network || 'none',
    Ports: portsText(rootFromEnvironment(), config, state),
    RunningFor: formatAge(created),
    Size: size ? `${formatSize(size.rw)} (virtual ${formatSize(size.rootFs)})` : '',
    State: state.status === 'starting' ? 'created' : state.status,
    Status: statusText(container, formatDuration),
  };
}

/** As Docker names them: a volume by its name, a directory by its path. */
function mountName({ name, source }: ContainerMount, trunc: boolean): string {
  const text = name || source;
  return trunc ? shortened(text, MAX_MOUNT) : text;
}
