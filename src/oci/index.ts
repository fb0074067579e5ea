// SPDX-License-Identifier: Apache-2.0
export { type Descriptor, type Platform, REF_NAME } from './descriptor.ts';
export {
  diffIdsOf,
  type HistoryEntry,
  type ImageConfig,
  type ImageHealthcheck,
  MAX_CONFIG_BYTES,
  type ProcessConfig,
  parseImageConfig,
} from './image-config.ts';
export {
  type ImageIndex,
  MAX_MANIFEST_BYTES,
  type Manifest,
  type ManifestDocument,
  parseIndex,
  parseManifest,
} from './manifest.ts';
export * from './media-types.ts';
export { checkShape, parseJson, type Validator } from './parse.ts';
export { choosePlatform, formatPlatform, HOST_PLATFORM, parsePlatform, platformRank } from './platform.ts';
export { type PortRange, parsePortRange } from './port-range.ts';
export { validateArchiveManifest } from './validators.generated.ts';
