// SPDX-License-Identifier: Apache-2.0

export { changeConfig } from './change-config.ts';
export { checkContainers } from './check-containers.ts';
export {
  type CheckpointDescription,
  checkCheckpointName,
  checkpointsPath,
  leftCheckpoints,
  listCheckpoints,
  makeCheckpoint,
  readCheckpoint,
  removeCheckpoint,
} from './checkpoints.ts';
export {
  addressesOf,
  type CniNetwork,
  type CniSettings,
  type ContainerConfig,
  type ContainerMount,
  type ContainerNetwork,
  type ContainerUpdate,
  type CpuTime,
  type DeviceRate,
  type DeviceRates,
  type Healthcheck,
  type HostOptions,
  isProbed,
  type LogAttributeOption,
  type LogOptions,
  type NetworkRates,
  type PortBinding,
  type RestartPolicy,
  readContainerConfig,
  type StandardStream,
  type Ulimit,
  writeContainerConfig,
} from './container-config.ts';
export { recordContainer } from './container-events.ts';
export {
  type ContainerHealth,
  type HealthStatus,
  type ProbeResult,
  readHealth,
} from './container-health.ts';
export {
  type ContainerState,
  type ContainerStatus,
  CREATED,
  readState,
  writeFirstState,
} from './container-state.ts';
export {
  calledBy,
  containerDirectory,
  findContainer,
  listContainerIds,
  lockForMaking,
  makeContainerDirectory,
  nameOf,
  noSuchContainer,
  readableConfig,
  syncContainerNames,
  whileNobodyMakes,
  writeContainerFile,
} from './directory.ts';
export { newContainerId, shortId } from './id.ts';
export { changeName, idOfName, releaseName, takeGeneratedName, takeName } from './names.ts';
export { danglingNames } from './names-check.ts';
export { deleteDirectory, removeContainer } from './remove.ts';
export { isAtRest, type RepairResult, repairContainer, repairContainers } from './repair.ts';
export { unlessUpdating, whileUpdating } from './update-lock.ts';
export { makeWritableDisk, WRITABLE_DISK_BYTES } from './writable-disk.ts';
