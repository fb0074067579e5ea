// SPDX-License-Identifier: Apache-2.0
export { CNI_PREFIX, type CniList, type CniPlaces, findCniList, isCniNetwork } from './cni-lists.ts';
export {
  CNI_INTERFACE,
  CNI_TAP,
  type CniAttachment,
  checkCniNetwork,
  joinCniNetwork,
  leftNamespaces,
} from './cni-network.ts';
export { findCniPrograms } from './cni-programs.ts';
export { cniRecordIds, cniRecordPath, leaveCniNetwork } from './cni-record.ts';
export { type EgressPolicy, forgetEgress, isRestricted, restrictEgress } from './egress.ts';
export {
  deniedTraffic,
  dismantleNetwork,
  ensureNetwork,
  ensureRules,
  firewallTable,
  ipv6Obstacle,
  networkObstacle,
  pluginObstacle,
  sweepPorts,
} from './host.ts';
export { formatIPv6, formatSubnet6, isPrefix6, parseIPv6, sizeOf6 } from './ipv6.ts';
export { type Lease, leasePath, listLeases, releaseLeases, takeLeases, writeLease } from './leases.ts';
export { forgetDeadRecords } from './live-records.ts';
export {
  ensureNameServer,
  forgetStation,
  nameRecords,
  renameStation,
  servesNames,
  stopNameServer,
} from './name-server.ts';
export {
  checkNetworkName,
  DEFAULT_NETWORK,
  isNetworkName,
  type Network,
  networkDirectory,
  tapName,
} from './network.ts';
export { recordNetwork } from './network-events.ts';
export {
  hostPortText,
  isPublishedAt,
  type PublishedPort,
  portsRefusal,
  publishedPorts,
} from './published-ports.ts';
export { networkResolvers, resolvers, resolverText } from './resolvers.ts';
export {
  createNetwork,
  DEFAULT_MTU,
  deleteNetwork,
  findNetwork,
  listNetworks,
  lockNetworks,
  type NewNetwork,
} from './store.ts';
export { formatSubnet, isPrefix, parseIPv4, sizeOf } from './subnet.ts';
export { findPasst, USER_ADDRESSES, USER_NETWORK, userNetworkObstacle } from './user-mode.ts';
