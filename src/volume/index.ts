// SPDX-License-Identifier: Apache-2.0
export { ANONYMOUS_LABEL, checkVolumeName, newAnonymousName } from './name.ts';
export {
  createVolume,
  deleteVolume,
  listVolumes,
  lockVolumes,
  type NewVolume,
  rewriteVolume,
} from './store.ts';
export { dataPath, findVolume, readVolume, type Volume, volumeSource } from './volume.ts';
export { recordVolume } from './volume-events.ts';
