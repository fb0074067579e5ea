// SPDX-License-Identifier: Apache-2.0
// What scripts look for in `docker info`. What would not be true of hrun is not there.
import { existsSync, readFileSync } from 'node:fs';
import { HrunError } from '../base/errors.ts';
import { hrunVersion } from '../base/version.ts';
import { checkIsolation, findAssets } from '../vm/index.ts';

/** Field names are Docker's. */
export interface DockerInfo {
  Driver: string;
  LoggingDriver: string;
  Plugins: { Volume: string[]; Network: string[]; Authorization: null; Log: string[] };
  /** limits of the host's control groups around VMs */
  MemoryLimit: boolean;
  SwapLimit: boolean;
  CpuCfsPeriod: boolean;
  CpuCfsQuota: boolean;
  CPUSet: boolean;
  CgroupDriver: string;
  CgroupVersion: '1' | '2';
  /** of a container's processes, by its guest */
  PidsLimit: boolean;
  IPv4Forwarding: boolean;
  OSType: string;
  OperatingSystem: string;
  OSVersion: string;
  SystemTime: string;
  IndexServerAddress: string;
  ServerVersion: string;
  ClientInfo: { Version: string };
  Runtimes: Record<string, { path: string }>;
  DefaultRuntime: string;
  Isolation: string;
  SecurityOptions: string[];
  /** containers run without a daemon */
  LiveRestoreEnabled: boolean;
  Swarm: { LocalNodeState: string; ControlAvailable: boolean };
  Warnings: string[];
}

const VERSION_2 = '/sys/fs/cgroup/cgroup.controllers';

/** Describes this host in Docker's words. */
export function dockerInfo(): DockerInfo {
  const version = hrunVersion();
  const { path, obstacle } = monitor();
  const limits = obstacle === '';
  const isRoot = process.getuid?.() === 0;
  return {
    Driver: 'erofs',
    LoggingDriver: 'json-file',
    Plugins: {
      Volume: ['local'],
      Network: isRoot ? ['bridge', 'null'] : ['passt', 'null'],
      Authorization: null,
      Log: ['json-file', 'none'],
    },
    ...{ MemoryLimit: limits, SwapLimit: limits, CpuCfsPeriod: limits, CpuCfsQuota: limits, CPUSet: limits },
    CgroupDriver: 'cgroupfs',
    CgroupVersion: existsSync(VERSION_2) ? '2' : '1',
    PidsLimit: true,
    IPv4Forwarding: forwards(),
    OSType: 'linux',
    OperatingSystem: osRelease('PRETTY_NAME') || 'Linux',
    OSVersion: osRelease('VERSION_ID'),
    SystemTime: new Date().toISOString(),
    IndexServerAddress: 'https://index.docker.io/v1/',
    ServerVersion: version,
    ClientInfo: { Version: version },
    Runtimes: { hrun: { path } },
    DefaultRuntime: 'hrun',
    Isolation: 'vm',
    SecurityOptions: isRoot ? [] : ['name=rootless'],
    LiveRestoreEnabled: true,
    Swarm: { LocalNodeState: 'inactive', ControlAvailable: false },
    Warnings: limits ? [] : [`no limits around VMs: ${obstacle}`],
  };
}

/** The program that owns a VM, and why the host cannot limit it; empty when it can. */
function monitor(): { path: string; obstacle: string } {
  try {
    const path = findAssets().monitor;
    return { path, obstacle: checkIsolation(path).controlGroup };
  } catch (error) {
    if (error instanceof HrunError) return { path: '', obstacle: error.message };
    throw error;
  }
}

function forwards(): boolean {
  return readOr('', '/proc/sys/net/ipv4/ip_forward').trim() === '1';
}

/** A value of os-release(5); empty when it is not there. */
function osRelease(name: string): string {
  const text = readOr(readOr('', '/usr/lib/os-release'), '/etc/os-release');
  return new RegExp(`^${name}="?([^"\\n]*)"?$`, 'm').exec(text)?.[1] ?? '';
}

function readOr(otherwise: string, path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : otherwise;
}
