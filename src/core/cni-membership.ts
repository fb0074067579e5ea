// SPDX-License-Identifier: Apache-2.0
// What CNI plug-ins have given a container, as its interface.
import { isIPv4, isIPv6 } from 'node:net';
import { HrunError } from '../base/errors.ts';
import type { CniSettings, ContainerNetwork } from '../container/index.ts';
import { CNI_INTERFACE, CNI_TAP, type CniAttachment } from '../network/index.ts';

/** As the plug-ins made the interface, so the machine has it. */
export function cniMembership(
  network: string,
  { namespace, facts, result }: CniAttachment,
  slot: number,
): ContainerNetwork {
  const addresses = facts.addresses.map(({ address, connected }) => ({
    ...split(address),
    ...(!connected && { apart: true }),
  }));
  const routes = facts.routes.map(({ destination, gateway, onLink, metric }) => ({
    ...split(destination),
    ...(gateway !== null && { gateway }),
    ...(onLink && { onLink }),
    metric,
  }));
  const gatewayOf = (isFamily: (text: string) => boolean) =>
    routes.find(({ address, prefix, gateway }) => prefix === 0 && isFamily(address) && gateway)?.gateway ??
    '';
  const four = addresses.find(({ address }) => isIPv4(address));
  const six = addresses.find(({ address }) => isIPv6(address));
  return {
    ...{ network, networkId: '', bridge: '', tap: CNI_TAP, aliases: [], internal: false, metric: 0, slot },
    ...{ interface: CNI_INTERFACE, mac: facts.mac, mtu: facts.mtu },
    ...{ address: four?.address ?? '', prefix: four?.prefix ?? 0, gateway: gatewayOf(isIPv4) },
    ...(six && { ipv6: { address: six.address, prefix: six.prefix, gateway: gatewayOf(isIPv6) } }),
    cni: { ...{ namespace, addresses, routes }, dns: result.dns, ports: [] },
  };
}

/** USAGE when plug-ins have passed over what was asked for, which they do not know. */
export function checkGiven({ network, ip, ip6, mac }: CniSettings, { facts }: CniAttachment): void {
  const has = (address: string) => facts.addresses.some((held) => split(held.address).address === address);
  const missing = [ip, ip6].find((address) => address !== undefined && !has(address));
  const refuse = (what: string) =>
    new HrunError('USAGE', `${network} did not give the container ${what}`, {
      hint: 'its plug-ins do not take what is asked for: leave it out',
    });
  if (missing !== undefined) throw refuse(`the address ${missing}`);
  if (mac !== undefined && facts.mac !== mac) throw refuse(`the MAC address ${mac}`);
}

function split(text: string): { address: string; prefix: number } {
  const [address, prefix] = text.split('/');
  return { address: address!, prefix: Number(prefix) };
}
