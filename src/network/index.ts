// SPDX-License-Identifier: Apache-2.0
export { dismantleNetwork, ensureNetwork, networkObstacle } from './host.ts';
export { type Lease, listLeases, releaseLeases, takeLease } from './leases.ts';
export { checkNetworkName, DEFAULT_NETWORK, type Network, tapName } from './network.ts';
export { resolvers } from './resolvers.ts';
export {
  createNetwork,
  DEFAULT_MTU,
  deleteNetwork,
  findNetwork,
  listNetworks,
  lockNetworks,
  type NewNetwork,
} from './store.ts';
export { parseIPv4 } from './subnet.ts';
