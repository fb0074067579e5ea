// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../base/digest.ts';
import type { Root } from '../base/root.ts';
import { recordContainer } from '../container/index.ts';
import { Archive, archiveOutput } from '../guest/index.ts';
import {
  addImage,
  addLayer,
  type Image,
  type ImageStore,
  imageOfManifest,
  layerDescriptor,
  type NewLayer,
  openImageStore,
} from '../image/index.ts';
import type { HistoryEntry, ImageConfig, ProcessConfig } from '../oci/index.ts';
import { familiarName } from '../registry/index.ts';
import { describeHealthcheck } from './healthcheck.ts';
import { applyChanges } from './image-changes.ts';
import { newImageName } from './image-name.ts';
import { isRunning, type KnownContainer, openContainer } from './open-container.ts';
import { type Guest, openGuest } from './service-vm.ts';
import { signalNumber } from './signal-number.ts';

export interface CommitOptions {
  /** `repository[:tag]` of the new image */
  name: string | undefined;
  author: string;
  message: string;
  /** Dockerfile instructions */
  changes: readonly string[];
  /** let the container's processes stand still meanwhile */
  pause: boolean;
}

/** Makes an image of a container's files and configuration and returns its ID. */
export async function commitContainer(root: Root, text: string, options: CommitOptions): Promise<Digest> {
  const name = newImageName(options.name);
  const container = await openContainer(root, text);
  using store = await openImageStore(root, { write: true });
  const image = await imageOfManifest(store, container.config.imageDigest as Digest);
  const config = applyChanges(processConfig(container, image), options.changes);
  const layer = await readLayer(store, container, options.pause);
  const layers = [...image.manifest.layers, ...(layer ? [layerDescriptor(layer)] : [])];
  const diffIds = [...image.diffIds, ...(layer ? [layer.diffId] : [])];
  const entry = historyEntry(container, options, layer === undefined);
  const made = imageConfig(image, { config, diffIds, entry, author: options.author });
  const imageID = await addImage(store, made, layers, name);
  const imageRef = name ? familiarName(name) : '';
  recordContainer(root, container.config, 'commit', { comment: options.message, imageID, imageRef });
  return imageID;
}

/** Without any change there is none: directories that were only opened for a mount point are nothing of the user's. */
async function readLayer(
  store: ImageStore,
  container: KnownContainer,
  pause: boolean,
): Promise<NewLayer | undefined> {
  await using guest = await openGuest(container);
  if (!(await hasChanges(guest))) return undefined;
  const frozen = pause && isRunning(container.state);
  const request = { operation: Archive.LAYER, frozen };
  return await addLayer(
    store,
    archiveOutput(await guest.connect(), request),
    `of container ${container.name}`,
  );
}

async function hasChanges(guest: Guest): Promise<boolean> {
  for await (const _ of archiveOutput(await guest.connect(), { operation: Archive.CHANGES })) return true;
  return false;
}

/** As Docker: what the user said at `run` is the new image's default. What hrun added by itself is not. */
function processConfig({ config: container }: KnownContainer, image: Image): ProcessConfig {
  const base = image.config.config ?? {};
  const { process, labels, healthcheck } = container;
  const sameSignal = signalNumber(base.StopSignal || 'SIGTERM') === process.stopSignal;
  return {
    ...base,
    User: process.user,
    Env: process.env.filter((entry) => !isGenerated(entry, container, base.Env ?? [])),
    Entrypoint: process.entrypoint.length > 0 ? process.entrypoint : null,
    Cmd: process.cmd.length > 0 ? process.cmd : null,
    WorkingDir: process.cwd === '/' ? (base.WorkingDir ?? '') : process.cwd,
    Labels: labels,
    ...(healthcheck && { Healthcheck: describeHealthcheck(healthcheck) }),
    ...(sameSignal ? {} : { StopSignal: String(process.stopSignal) }),
  };
}

function isGenerated(
  entry: string,
  container: KnownContainer['config'],
  imageEnv: readonly string[],
): boolean {
  const generated =
    entry === `HOSTNAME=${container.hostname}` || (container.process.tty && entry === 'TERM=xterm');
  return generated && !imageEnv.includes(entry);
}

function historyEntry({ config }: KnownContainer, options: CommitOptions, isEmpty: boolean): HistoryEntry {
  return {
    created: new Date().toISOString(),
    created_by: config.process.cmd.join(' '),
    ...(options.author && { author: options.author }),
    ...(options.message && { comment: options.message }),
    ...(isEmpty && { empty_layer: true }),
  };
}

interface NewParts {
  config: ProcessConfig;
  diffIds: Digest[];
  entry: HistoryEntry;
  author: string;
}

function imageConfig({ config: base }: Image, { config, diffIds, entry, author }: NewParts): ImageConfig {
  return {
    ...{ created: entry.created!, architecture: base.architecture, os: base.os },
    ...(base.variant && { variant: base.variant }),
    ...(author && { author }),
    config,
    rootfs: { type: 'layers', diff_ids: diffIds },
    history: [...(base.history ?? []), entry],
  };
}
