// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Root, rootAt } from '../../src/base/root.ts';
import type { ContainerConfig, ContainerState } from '../../src/container/index.ts';
import { describePorts, portsText } from '../../src/core/list-ports.ts';

const ID = 'a'.repeat(64);
const RUNNING = { status: 'running' } as ContainerState;

let root: Root;

beforeEach(() => {
  root = rootAt(mkdtempSync(join(tmpdir(), 'hrun-list-ports-')));
});
afterEach(() => rmSync(root.dir, { recursive: true }));

/** PORT/PROTOCOL@ADDRESS:HOST_PORT */
function publish(...texts: string[]): void {
  const ports = texts.map((text) => {
    const [, port, protocol, hostIp, hostPort] = /^(\d+)\/(\w+)@([\d.]+):(\d+)$/.exec(text)!;
    return { port: Number(port), protocol, hostIp, hostPort: Number(hostPort), address: '172.31.0.2' };
  });
  mkdirSync(join(root.networks, '.ports'), { recursive: true });
  writeFileSync(join(root.networks, '.ports', ID), JSON.stringify({ version: 1, ports }));
}

function container(exposedPorts: string[]): ContainerConfig {
  return { id: ID, networks: [{}], host: { portBindings: [{}], exposedPorts } } as unknown as ContainerConfig;
}

describe('the ports of a running container', () => {
  test('are listed with their neighbours together, and only with those', () => {
    publish(
      '81/tcp@0.0.0.0:8081',
      '80/tcp@0.0.0.0:8080',
      '80/tcp@127.0.0.1:9000',
      '82/tcp@0.0.0.0:9082',
      '53/udp@0.0.0.0:53',
    );
    expect(portsText(root, container(['80/tcp', '7000/tcp', '7001/tcp', '7001/udp']), RUNNING)).toBe(
      '0.0.0.0:53->53/udp, 0.0.0.0:8080-8081->80-81/tcp, 127.0.0.1:9000->80/tcp, 0.0.0.0:9082->82/tcp, 7000-7001/tcp, 7001/udp',
    );
  });

  test('are null in inspect when they are only exposed', () => {
    publish('80/tcp@0.0.0.0:8080');
    expect(describePorts(root, container(['80/tcp', '81/tcp']), RUNNING)).toEqual({
      '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '8080' }],
      '81/tcp': null,
    });
  });

  test('are none of one that does not run', () => {
    publish('80/tcp@0.0.0.0:8080');
    const exited = { status: 'exited' } as ContainerState;
    expect(portsText(root, container(['80/tcp']), exited)).toBe('');
    expect(describePorts(root, container(['80/tcp']), exited)).toEqual({});
  });
});
