// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { syncDirectory, syncFile } from '../base/atomic-file.ts';
import type { Root } from '../base/root.ts';
import { settingsPath } from '../base/settings.ts';
import { inStore } from '../base/store-error.ts';
import {
  type ContainerConfig,
  type ContainerNetwork,
  deleteDirectory,
  type Healthcheck,
  isProbed,
  lockForMaking,
  makeContainerDirectory,
  makeWritableDisk,
  newContainerId,
  recordContainer,
  releaseName,
  shortId,
  syncContainerNames,
  takeGeneratedName,
  takeName,
  writeContainerFile,
  writeFirstState,
} from '../container/index.ts';
import { type Image, openImageStore, rootDisks } from '../image/index.ts';
import type { FileLock } from '../native/index.ts';
import {
  canShareDirectories,
  chooseEngine,
  dropHeadStart,
  type EngineChoice,
  findAssets,
  layerSlots,
  limitsRemark,
  memoryMiB,
  VM_FILE,
  type VmAssets,
  type VmConfig,
  vmConfig,
} from '../vm/index.ts';
import { lockVolumes } from '../volume/index.ts';
import { cniRequest } from './cni.ts';
import type { ContainerOptions } from './container-options.ts';
import { bootTimeoutMs, machineCpus, vcpusFor } from './cpus.ts';
import { probePayload } from './exec-payload.ts';
import { configurePayload, sharedConfigurePayload, startPayload } from './guest-config.ts';
import { checkHostname } from './guest-files.ts';
import { type GuestMounts, guestMounts } from './guest-mounts.ts';
import { healthcheckOf, probeCommand, vmHealth } from './healthcheck.ts';
import { imageForContainer } from './image-for-container.ts';
import { interfaceKind, joinNetworks, leaveNetworks } from './join-networks.ts';
import { logAttributes } from './log-attributes.ts';
import { makeMounts } from './make-mounts.ts';
import { vmNics } from './network-membership.ts';
import { newContainerConfig } from './new-container-config.ts';
import { type PlannedMount, planMounts } from './plan-mounts.ts';
import { type ContainerProcess, containerProcess } from './process-config.ts';
import type { Report } from './progress.ts';
import { type PortPlan, planPorts, vmPorts } from './publish.ts';
import { checkMounts, layersIn, type SharedMachine, sharedMachine } from './shared-machine.ts';
import { type PoolUse, type TakenMachine, takeMachine } from './take-machine.ts';
import { vmResources, wantsHostLimits } from './vm-resources.ts';

/** A container that is ready to be started, held so that nobody takes it for a half-made one. */
export interface CreatedContainer {
  id: string;
  name: string;
  directory: string;
  config: ContainerConfig;
  assets: VmAssets;
  /** one line about the engine, or about limits that the host does not enforce, that the user should read */
  remark: string | undefined;
  /** of its machine's size, if there is one */
  pool: PoolUse | undefined;
  /** Lets go of it: it is running, or is to stay as it is. */
  release(): void;
  /** Removes it again. */
  discard(): Promise<void>;
}

/** Makes a container of an image: everything a monitor needs to start it is in its directory afterwards. */
export async function createContainer(
  root: Root,
  options: ContainerOptions,
  report: Report = () => {},
): Promise<CreatedContainer> {
  const machine = await sharedMachine(root, options);
  const choice = machine?.choice ?? (await chooseEngine(root, options.engine));
  const assets = findAssets();
  using store = await openImageStore(root);
  const image = await imageForContainer(store, options, report);
  const making = await inStore(root.containers, () => lockForMaking(root));
  const volumes = mountsAny(options, image) ? await lockVolumes(root, { shared: true }) : undefined;
  let pool: PoolUse | undefined;
  try {
    const apart = machine !== undefined || cniRequest(options) !== undefined; // plug-ins come before the machine
    pool = apart ? undefined : await usePool(root, options, image, { choice, assets });
    const { headStart } = options;
    if (headStart && headStart.id !== pool?.machine?.id) dropHeadStart(root, headStart);
    const id = pool?.machine?.id ?? newContainerId();
    const mounts = await planMounts(root, options, { id, image, sharing: !machine && canShareDirectories() });
    const guest = guestMounts(mounts, options.tmpfs);
    if (machine) checkMounts(guest);
    const layers = await rootDisks(store, image, layersIn(machine, guest));
    const ingredients = { id, image, layers, machine, choice, assets, mounts, guest, making, pool };
    return await withAddresses(root, options, ingredients, async (networks) => {
      const plan = planContainer(options, { ...ingredients, networks });
      return await inStore(root.containers, () => makeContainer(root, options, plan));
    });
  } catch (error) {
    if (pool?.machine) await letDown(root, pool.machine);
    making.release();
    throw error;
  } finally {
    volumes?.release();
  }
}

/** A machine that waits has room for disks alone, so far; and who only creates a container wants none yet. */
async function usePool(
  root: Root,
  options: ContainerOptions,
  image: Image,
  { choice, assets }: { choice: EngineChoice; assets: VmAssets },
): Promise<PoolUse | undefined> {
  if (options.awaitsStart || mountsAny(options, image)) return undefined;
  const kind = options.headStart && interfaceKind(options); // a pool has one kind for all
  const shape = {
    vcpus: machineCpus(vcpusFor(options), options.maxCpus ?? 0),
    memoryMiB: memoryMiB(options.memory),
    nic: kind === 'tap',
  };
  const fitting = kind === 'passt' ? undefined : options.headStart;
  return await inStore(root.containers, () => takeMachine(root, choice.engine, assets, shape, fitting));
}

async function letDown(root: Root, { id, connection }: TakenMachine): Promise<void> {
  connection.destroy();
  await deleteDirectory(root, id);
}

/** What fails leaves no address taken. */
async function withAddresses(
  root: Root,
  options: ContainerOptions,
  { id, layers, guest, machine }: Omit<Ingredients, 'networks'>,
  make: (networks: ContainerNetwork[]) => Promise<CreatedContainer>,
): Promise<CreatedContainer> {
  let networks: ContainerNetwork[] = [];
  try {
    if (!machine)
      networks = await joinNetworks(root, options, { id, takenSlots: diskSlots(layers.length, guest) });
    return await make(networks);
  } catch (error) {
    if (networks.length > 0) await leaveNetworks(root, id);
    throw error;
  }
}

function diskSlots(layers: number, { share, disks }: GuestMounts): number[] {
  return [...layerSlots(layers), ...disks.map(({ slot }) => slot), ...(share ? [share.slot] : [])];
}

function mountsAny({ mounts, volumesFrom }: ContainerOptions, image: Image): boolean {
  const ofImage = Object.keys(image.config.config?.Volumes ?? {});
  return mounts.length + volumesFrom.length + ofImage.length > 0;
}

/** What is settled before the options are looked at. */
interface Ingredients {
  id: string;
  image: Image;
  layers: string[];
  /** whose machine it runs in; undefined: its own */
  machine: SharedMachine | undefined;
  choice: EngineChoice;
  assets: VmAssets;
  mounts: PlannedMount[];
  guest: GuestMounts;
  networks: ContainerNetwork[];
  /** until it is there nobody clears it away */
  making: FileLock;
  pool: PoolUse | undefined;
}

/** Everything about a container that needs no file of its own. */
interface Plan extends Ingredients {
  hostname: string;
  process: ContainerProcess;
  ports: PortPlan;
  healthcheck: Healthcheck | undefined;
  vcpus: number;
  memoryMiB: number;
  configure: Buffer;
  start: Buffer;
}

/** Checks all options before anything is written. */
function planContainer(options: ContainerOptions, ingredients: Ingredients): Plan {
  const { id, image, layers, guest, networks, machine } = ingredients;
  const hostname = machine?.hostname ?? checkHostname(options.hostname ?? shortId(id));
  const process = containerProcess(image.config.config ?? {}, options, hostname);
  return {
    ...ingredients,
    ...{ hostname, process },
    ports: planPorts(options, image.config.config ?? {}, networks),
    healthcheck: healthcheckOf(image.config.config?.Healthcheck, options.health),
    vcpus: machine?.vcpus ?? machineCpus(vcpusFor(options), options.maxCpus ?? 0),
    memoryMiB: machine?.memoryMiB ?? memoryMiB(options.memory),
    configure: machine
      ? sharedConfigurePayload(options, layers.length, guest, machine.memoryBytes)
      : configurePayload(options, hostname, layers.length, guest, networks),
    start: startPayload(options, process),
  };
}

async function makeContainer(root: Root, options: ContainerOptions, plan: Plan): Promise<CreatedContainer> {
  const { id, assets, making, networks, pool } = plan;
  const directory = pool?.machine?.directory ?? makeContainerDirectory(root, id);
  let name: string | undefined;
  const discard = async () => {
    pool?.machine?.connection.destroy();
    await deleteDirectory(root, id);
    if (name !== undefined) await releaseName(root, name, id);
    if (networks.length > 0) await leaveNetworks(root, id);
    making.release();
  };
  try {
    name = await nameContainer(root, options.name, id);
    await makeMounts(root, plan.mounts);
    const config = newContainerConfig(options, { ...plan, name });
    await fillDirectory(root, directory, plan, config);
    recordContainer(root, config, 'create');
    const remark =
      plan.choice.remark ??
      (wantsHostLimits(config.host) ? await limitsRemark(root, assets.monitor) : undefined);
    return { id, name, directory, config, assets, remark, pool, release: () => making.release(), discard };
  } catch (error) {
    await discard();
    throw error;
  }
}

async function nameContainer(root: Root, name: string | undefined, id: string): Promise<string> {
  if (name === undefined) return await takeGeneratedName(root, id);
  await takeName(root, name, id);
  return name;
}

/** state.json comes last, after a power cut too: a directory without one is a half-made container. */
async function fillDirectory(
  root: Root,
  directory: string,
  plan: Plan,
  config: ContainerConfig,
): Promise<void> {
  const durable = !config.autoRemove;
  const write = (file: string, data: Uint8Array | string) =>
    writeContainerFile(settingsPath(directory, file), data, durable);
  const writable = join(directory, 'writable.ext4');
  const probe = probeCommand(plan.healthcheck, plan.image.config.config?.Shell);
  const writeFiles = async () => {
    write('config.json', JSON.stringify(config));
    write(VM_FILE, JSON.stringify(vmFile(root, plan, config, writable)));
    write('configure.bin', plan.configure);
    write('start.bin', plan.start);
    if (probe) write('probe.bin', probePayload(config, probe));
  };
  await Promise.all([makeWritableDisk(root, writable, config.host.diskSize), writeFiles()]);
  if (durable) {
    const directories = [directory, settingsPath(directory)];
    await Promise.all([syncFile(writable), ...directories.map(syncDirectory), syncContainerNames(root)]);
  }
  await writeFirstState(directory, durable);
}

function vmFile(root: Root, plan: Plan, config: ContainerConfig, writable: string) {
  const { id, assets, vcpus, memoryMiB, layers, guest, healthcheck } = plan;
  const { engine } = plan.choice;
  const { tty, stopSignal } = config.process;
  const { autoRemove, host } = config;
  const restart = { policy: host.restart.name, maximumRetries: host.restart.maximumRetries };
  return vmConfig({
    id,
    engine,
    assets,
    vcpus,
    memoryMiB,
    layers,
    writable,
    volumes: guest.disks,
    share: guest.share,
    joins: plan.machine && { directory: plan.machine.directory, name: plan.machine.name },
    nics: vmNics(config),
    ports: vmPorts(root, plan.ports.bindings, plan.networks),
    tty,
    stopSignal,
    autoRemove,
    log: vmLog(config),
    resources: vmResources(config, { engine: engine.engine, disks: layers.length + guest.disks.length + 1 }),
    bootTimeoutMs: bootTimeoutMs(host),
    ...(autoRemove ? {} : { restart }),
    health: healthcheck && isProbed(healthcheck) ? vmHealth(healthcheck) : undefined,
  });
}

function vmLog(config: ContainerConfig): VmConfig['log'] {
  const { driver, maxBytes, maxFiles } = config.host.log;
  const attributes = logAttributes(config);
  return { driver, maxBytes, maxFiles, ...(attributes && { attributes }) };
}
