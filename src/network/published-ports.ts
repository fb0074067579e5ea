// SPDX-License-Identifier: Apache-2.0
// networks/.ports/<id>: what a container's keeper has published, in a record that it has locked as long as it lives.
import { statSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import { errnoOf } from '../base/errors.ts';
import { readRegularFile } from '../base/regular-file.ts';
import type { Root } from '../base/root.ts';
import { deadRecordIds, forgetRecords, recordIds } from './live-records.ts';

/** A port of the host that leads to a container's. */
export interface PublishedPort {
  protocol: 'tcp' | 'udp';
  /** 0.0.0.0 or :: for every address of the host in the family */
  hostIp: string;
  hostPort: number;
  /** of the container */
  address: string;
  port: number;
}

const DIRECTORY = '.ports';

/** "127.0.0.1:8080", "[::1]:8080" */
export function hostPortText(hostIp: string, port: number | string): string {
  return `${isIPv6(hostIp) ? `[${hostIp}]` : hostIp}:${port}`;
}

/** What a running container has published; nothing for one that does not run. */
export function publishedPorts(root: Root, id: string): PublishedPort[] {
  return readRecord(root, id).ports;
}

/** Whether ports of the host lead to an address of a container: whoever disconnected it may have been killed before they led elsewhere. */
export function isPublishedAt(root: Root, id: string, address: string): boolean {
  return publishedPorts(root, id).some((port) => port.address === address);
}

/** Why ports that were to lead to another network of a running container do not; undefined if they do. `record`: no two have the same at once. */
export function portsRefusal(root: Root, id: string): { refused: string; record: bigint } | undefined {
  const { refused } = readRecord(root, id);
  const record = statSync(join(recordsDirectory(root), id), { bigint: true, throwIfNoEntry: false });
  return refused !== undefined && record ? { refused, record: record.ino } : undefined;
}

/** `ruled` is false where others than the firewall's rules lead to the container. */
function readRecord(root: Root, id: string): { ruled?: boolean; ports: PublishedPort[]; refused?: string } {
  try {
    return JSON.parse(readRegularFile(join(recordsDirectory(root), id)));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || error instanceof SyntaxError) return { ports: [] }; // a power cut may have left it empty
    throw error;
  }
}

/**
 * Forgets the ports of keepers that were killed, and tells which of them the firewall leads; undefined if there was no such keeper. Only while
 * holding the lock of all networks.
 */
export function forgetDeadPorts(root: Root): PublishedPort[] | undefined {
  const directory = recordsDirectory(root);
  const dead = deadRecordIds(directory);
  const ports = dead.flatMap((id) => ruledPorts(root, id));
  forgetRecords(directory, dead);
  return dead.length > 0 ? ports : undefined;
}

/** What all containers have published by the firewall. Only while holding the lock of all networks. */
export function allPublishedPorts(root: Root): PublishedPort[] {
  return recordIds(recordsDirectory(root)).flatMap((id) => ruledPorts(root, id));
}

function ruledPorts(root: Root, id: string): PublishedPort[] {
  const { ruled, ports } = readRecord(root, id);
  return ruled === false ? [] : ports;
}

function recordsDirectory(root: Root): string {
  return join(root.networks, DIRECTORY);
}
