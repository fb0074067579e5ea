// SPDX-License-Identifier: Apache-2.0
export { findAssets, type VmAssets } from './assets.ts';
export { machineFacts, saveMachine, verifyMachine } from './checkpoint.ts';
export { type EmptyMachine, writeEmptyMachine } from './empty-machine.ts';
export {
  chooseEngine,
  ENGINE_NAMES,
  type Engine,
  type EngineChoice,
  type EngineName,
  explain,
  QEMU,
} from './engine.ts';
export { connectGuest } from './guest-connection.ts';
export {
  dropHeadStart,
  type HeadStart,
  headStartDirectory,
  isUnderWay,
  leftHeadStarts,
  prepareHeadStart,
  sweepHeadStarts,
  takeGiven,
  wantsHeadStart,
} from './head-start.ts';
export { isHeld } from './held.ts';
export { checkIsolation, type HostIsolation, limitsRemark } from './isolation.ts';
export { type VirtualizationFacts, virtualizationFacts } from './kvm-advice.ts';
export { assessKvm, type KvmVerdict } from './kvm-verdict.ts';
export { DEFAULT_MEMORY_MIB, hostMemoryMax, LEAST_MEMORY_MIB, memoryMiB } from './memory.ts';
export {
  changeNic,
  connectMonitor,
  limitMonitor,
  monitorLastWords,
  redirectPorts,
  startMonitor,
} from './monitor.ts';
export {
  connectWaiting,
  dismiss,
  emptySettings,
  keeperOf,
  launchWaiting,
  listMachines,
  listPools,
  listWaiting,
  machinesDirectory,
  makeWaitingDirectory,
  POOL_NIC,
  type PoolSettings,
  poolDirectory,
  readPool,
  sweepPool,
  writePool,
} from './pool.ts';
export { findProgram } from './program.ts';
export { canShareDirectories, findShareDaemon } from './share-daemon.ts';
export {
  layerSlots,
  MAX_LAYER_DISKS,
  MAX_VOLUME_DISKS,
  networkSlots,
  REHEARSAL_SLOTS,
  type VolumeSlots,
  volumeSlots,
  WRITABLE_SLOT,
} from './slots.ts';
export {
  type Rehearse,
  type TemplateInputs,
  type TemplateShape,
  type TemplateSize,
  templateInputs,
  templateKey,
} from './template.ts';
export {
  findTemplate,
  isToBeMadeAgain,
  listTemplates,
  makeTemplate,
  readTemplate,
  removeTemplate,
  type Template,
} from './templates.ts';
export {
  type DeviceLimits,
  deviceSlots,
  hasPreparedNic,
  readVmConfig,
  type SharedDirectories,
  VM_FILE,
  type VmConfig,
  type VmDisk,
  type VmHealth,
  type VmNic,
  type VmPorts,
  type VmRequest,
  type VmResources,
  vmConfig,
  writeVmConfig,
} from './vm-config.ts';
