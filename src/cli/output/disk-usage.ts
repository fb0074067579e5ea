// SPDX-License-Identifier: Apache-2.0
import { shortId } from '../../container/index.ts';
import type { DiskUsageDetails, ImageDetail, VolumeDetail } from '../../core/disk-usage-details.ts';
import { statusText } from '../../core/status-text.ts';
import { createdMs } from '../../image/index.ts';
import { formatTable } from './table.ts';
import { formatAge, formatDuration, formatSize, shortened } from './units.ts';

const NONE = '<none>';
const MAX_COMMAND = 20;

/** `system df -v`: three tables, as Docker's. */
export function diskUsageTables({ images, containers, volumes }: DiskUsageDetails): string {
  return `Images space usage:

${formatTable([IMAGE_HEADING, ...images.map(imageRow)])}
Containers space usage:

${formatTable([CONTAINER_HEADING, ...containers.map(containerRow)])}
Local Volumes space usage:

${formatTable([VOLUME_HEADING, ...volumes.map(volumeRow)])}`;
}

const IMAGE_HEADING = 'REPOSITORY,TAG,IMAGE ID,CREATED,SIZE,SHARED SIZE,UNIQUE SIZE,CONTAINERS'.split(',');

function imageRow({ image, repository, tag, size, shared, containers }: ImageDetail): string[] {
  const created = createdMs(image);
  return [
    repository ?? NONE,
    tag ?? NONE,
    shortId(image.id.slice('sha256:'.length)),
    created > 0 ? formatAge(created) : 'N/A',
    formatSize(size),
    formatSize(shared),
    formatSize(Math.max(0, size - shared)),
    String(containers),
  ];
}

const CONTAINER_HEADING = 'CONTAINER ID,IMAGE,COMMAND,LOCAL VOLUMES,SIZE,CREATED,STATUS,NAMES'.split(',');

function containerRow(container: DiskUsageDetails['containers'][number]): string[] {
  const { config, size } = container;
  const line = config.process.args.join(' ');
  return [
    shortId(config.id),
    config.image,
    JSON.stringify(shortened(line, MAX_COMMAND)),
    String(config.mounts.filter(({ type }) => type === 'volume').length),
    formatSize(size.rw),
    formatAge(Date.parse(config.created)),
    statusText(container, formatDuration),
    config.name,
  ];
}

const VOLUME_HEADING = ['VOLUME NAME', 'LINKS', 'SIZE'];

function volumeRow({ name, links, size }: VolumeDetail): string[] {
  return [name, String(links), formatSize(size)];
}
