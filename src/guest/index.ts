// SPDX-License-Identifier: Apache-2.0
export { type ArchiveRequest, archiveInput, archiveOutput } from './archive.ts';
export {
  type Configure,
  encodeConfigure,
  encodeNetworkChange,
  type GuestMount,
  hasNetworks,
  type NetworkChange,
  type StoredLimits,
  withHostname,
  withLimits,
  withNetworks,
} from './configure.ts';
export type { GuestAddress, GuestNic } from './nic.ts';
export { AGENT_PORT, Archive, AttachFlags, ErrorKind, type OutputStream, Stage, Stream } from './protocol.ts';
export {
  type ExitStatus,
  type GuestLimits,
  Session,
  type SessionError,
  type SessionEvents,
} from './session.ts';
export { encodeProcessList, encodeStart, type Rlimit, type Start, type TerminalSize } from './start.ts';
export type { Used } from './used.ts';
