// SPDX-License-Identifier: Apache-2.0
import { rootFromEnvironment } from '../../base/root.ts';
import { type ContainerMount, shortId } from '../../container/index.ts';
import { writableSize } from '../../core/allocated.ts';
import { filterContainers, parseContainerFilters, wantsStopped } from '../../core/container-filters.ts';
import { type ListedContainer, listContainers } from '../../core/list-containers.ts';
import { portsText } from '../../core/list-ports.ts';
import { statusText } from '../../core/status-text.ts';
import { defineCommand } from '../command.ts';
import { collect } from '../option.ts';
import { formatList } from '../output/format.ts';
import { formatAge, formatDuration, formatSize } from '../output/units.ts';

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
interface Shown {
  Command: string;
  CreatedAt: string;
  ID: string;
  Image: string;
  Labels: string;
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
        'status=, health=, name=, label=, ancestor=, exited=, id=, volume=, before=, since=',
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
    const last = options.latest ? 1 : Number(options.last ?? 0);
    const all = options.all === true || last > 0 || wantsStopped(filters);
    const containers = await filterContainers(root, await listContainers(root, { all }), filters);
    return containers.slice(0, last > 0 ? last : undefined).map((container) => shown(container, options));
  },
  print(rows, output, { quiet, format, size }) {
    if (quiet) output.write(rows.map(({ ID }) => `${ID}\n`).join(''));
    else output.write(formatList(rows, columns(size === true), format));
    return undefined;
  },
});

function columns(size: boolean): Record<string, (row: Shown) => string> {
  return {
    'CONTAINER ID': (row) => row.ID,
    IMAGE: (row) => row.Image,
    COMMAND: (row) => row.Command,
    CREATED: (row) => row.RunningFor,
    STATUS: (row) => row.Status,
    PORTS: (row) => row.Ports,
    NAMES: (row) => row.Names,
    ...(size && { SIZE: (row: Shown) => row.Size }),
  };
}

function shown(container: ListedContainer, { trunc, size }: PsOptions): Shown {
  const { config, state } = container;
  const line = config.process.args.join(' ');
  const created = Date.parse(config.created);
  return {
    Command: JSON.stringify(trunc ? shortened(line) : line),
    CreatedAt: config.created,
    ID: trunc ? shortId(config.id) : config.id,
    Image: config.image,
    Labels: Object.entries(config.labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(','),
    LocalVolumes: String(config.mounts.filter(({ type }) => type === 'volume').length),
    Mounts: config.mounts.map((mount) => mountName(mount, trunc)).join(','),
    Names: config.name,
    Networks: config.networks.map(({ network }) => network).join(',') || 'none',
    Ports: portsText(rootFromEnvironment(), config, state),
    RunningFor: formatAge(created),
    Size: size ? formatSize(writableSize(rootFromEnvironment(), config.id)) : '',
    State: state.status === 'starting' ? 'created' : state.status,
    Status: statusText(container, formatDuration),
  };
}

/** As Docker names them: a volume by its name, a directory by its path. */
function mountName({ name, source }: ContainerMount, trunc: boolean): string {
  const text = name || source;
  return trunc && text.length > MAX_MOUNT ? `${text.slice(0, MAX_MOUNT - 1)}…` : text;
}

function shortened(text: string): string {
  return text.length > MAX_COMMAND ? `${text.slice(0, MAX_COMMAND - 1)}…` : text;
}
