// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../base/errors.ts';
import type { Network } from './network.ts';

export function addressInUse({ name }: Network, address: string): HrunError {
  return new HrunError('ADDRESS_IN_USE', `the address ${address} is already in use`, {
    hint: `see: hrun network inspect ${name}`,
  });
}

export function noAddressLeft({ name }: Network): HrunError {
  return new HrunError('ADDRESS_IN_USE', `no address is left in network ${name}`, {
    hint: 'remove containers, or make a network with a larger subnet',
  });
}

/** `subnet` is undefined where the network has none of the address's family. */
export function notInSubnet({ name }: Network, address: string, subnet: string | undefined): HrunError {
  if (subnet !== undefined)
    return new HrunError('USAGE', `the address ${address} is not in the subnet ${subnet} of network ${name}`);
  return new HrunError('USAGE', `network ${name} has no IPv6: it cannot have the address ${address}`, {
    hint: 'make one that has: hrun network create --ipv6',
  });
}
