// SPDX-License-Identifier: Apache-2.0
// hrun system check, the networks: whose addresses are leased to whom. docs/store.md, "Checking the store".
import { existsSync, readdirSync } from 'node:fs';
import { HrunError } from '../base/errors.ts';
import type { Findings } from '../base/finding.ts';
import type { Root } from '../base/root.ts';
import {
  addressesOf,
  type ContainerConfig,
  containerDirectory,
  listContainerIds,
  readableConfig,
  shortId,
  whileNobodyMakes,
} from '../container/index.ts';
import {
  findNetwork,
  isNetworkName,
  isPublishedAt,
  leasePath,
  listLeases,
  listNetworks,
  type Network,
  networkDirectory,
  releaseLeases,
  writeLease,
} from '../network/index.ts';
import { checkCni } from './check-cni.ts';
import { withNetworks } from './join-networks.ts';

/** Looks at every network and every container's addresses, unless somebody makes a container now. */
export async function checkNetworks(root: Root, findings: Findings): Promise<void> {
  if (!existsSync(root.networks)) return;
  await withNetworks(root, async () => {
    checkFiles(root, findings);
    await whileNobodyMakes(root, async () => {
      // Those that can be read: the others are told of by who looks at containers.
      const configs = listContainerIds(root).flatMap((id) => readableConfig(root, id) ?? []);
      for (const network of listNetworks(root)) {
        await checkLeases(root, network, { configs, findings });
        await checkMembers(root, network, { configs, findings });
      }
    });
  });
  await checkCni(root, findings);
}

interface Look {
  configs: readonly ContainerConfig[];
  findings: Findings;
}

/** What is said of the network cannot be had from anywhere else. */
function checkFiles(root: Root, findings: Findings): void {
  for (const name of readdirSync(root.networks).filter(isNetworkName)) {
    try {
      findNetwork(root, name);
    } catch (error) {
      if (!(error instanceof HrunError)) throw error;
      findings.left({
        kind: 'damage',
        where: networkDirectory(root, name),
        what: 'has no network.json that can be read',
        remedy: 'remove it once no container uses the network',
      });
    }
  }
}

/** Addresses that no container says it has. */
async function checkLeases(root: Root, network: Network, { configs, findings }: Look): Promise<void> {
  for (const { address, id } of listLeases(root, network)) {
    if (configs.some((config) => config.id === id && hasAddress(config, network, address))) continue;
    if (isPublishedAt(root, id, address)) continue;
    if (configs.every((config) => config.id !== id) && existsSync(containerDirectory(root, id))) continue; // damaged itself
    const finding = {
      kind: 'note',
      where: leasePath(root, network, address),
      what: `is leased to container ${shortId(id)}, which is gone or not in the network`,
      remedy: 'take the address back',
    } as const;
    await findings.mendable(finding, () =>
      releaseLeases(root, network, (holder, leased) => holder === id && leased === address),
    );
  }
}

/** Containers whose address could be given to another. */
async function checkMembers(root: Root, network: Network, { configs, findings }: Look): Promise<void> {
  const holders = new Map(listLeases(root, network).map(({ address, id }) => [address, id]));
  for (const { id, name, networks } of configs) {
    const member = networks.find(({ networkId }) => networkId === network.id);
    for (const address of member ? addressesOf(member) : [])
      await checkMember(root, network, { id, name, address, holder: holders.get(address), findings });
  }
}

async function checkMember(
  root: Root,
  network: Network,
  member: { id: string; name: string; address: string; holder: string | undefined; findings: Findings },
): Promise<void> {
  const { id, name, address, holder, findings } = member;
  const where = leasePath(root, network, address);
  if (holder === id) return;
  if (holder !== undefined) {
    findings.left({
      kind: 'damage',
      where,
      what: `is container ${name}'s address too, but leased to ${shortId(holder)}`,
      remedy: `hrun network disconnect ${network.name} ${name}, and connect it again`,
    });
    return;
  }
  const what = `is not there, although container ${name} has the address`;
  await findings.mendable({ kind: 'damage', where, what, remedy: 'lease it to the container' }, () =>
    writeLease(root, network, id, address),
  );
}

function hasAddress({ networks }: ContainerConfig, network: Network, address: string): boolean {
  return networks.some((member) => member.networkId === network.id && addressesOf(member).includes(address));
}
