// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { complete } from '../../src/cli/complete.ts';
import { createNamedVolume } from '../../src/core/volumes.ts';
import { createNetwork, lockNetworks } from '../../src/network/index.ts';
import { hrun } from '../fixtures/hrun.ts';
import { temporaryRoot } from '../fixtures/store-root.ts';

const HRUN = join(import.meta.dirname, '../../bin/hrun');

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'hrun-completion-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

async function words(...typed: string[]): Promise<string[]> {
  return (await complete(typed)).map(({ word }) => word);
}

describe('completion', () => {
  test("knows the commands, also by Docker's management names", async () => {
    expect(await words('sta')).toEqual(['start', 'stats']);
    expect(await words('container', 'pa')).toEqual(['pause']);
    expect(await words('system', '')).toEqual(['events', 'start', 'stop', 'prune', 'df', 'check']);
    expect(await words('')).toEqual(expect.arrayContaining(['run', 'container', 'image', 'system']));
    expect(await words('nonesuch', '')).toEqual([]);
  });

  test('knows the options of a command, and the values that one can have', async () => {
    expect(await words('stop', '--')).toEqual(['--signal', '--timeout']);
    expect(await words('container', 'stop', '--s')).toEqual(['--signal']);
    expect(await words('run', '--engine', '')).toEqual(['auto', 'qemu', 'kvm']);
    expect(await words('run', '--name', 'x', '--engine', 'k')).toEqual(['kvm']);
    expect(await words('run', '--engine=qemu', '--pri')).toEqual(['--privileged']);
    expect(await words('run', '--name', '')).toEqual([]);
  });

  test('leaves what follows the image to the command in it', async () => {
    expect(await words('run', 'debian', '--e')).toEqual([]);
    expect(await words('exec', 'box', 'ls', '-')).toEqual([]);
  });

  test('knows the signals, by both of their names', async () => {
    expect(await words('kill', '-s', 'HU')).toEqual(['HUP']);
    expect(await words('stop', '--signal', 'SIGUSR')).toEqual(['SIGUSR1', 'SIGUSR2']);
    expect(await words('run', '--stop-signal=QU')).toEqual(['--stop-signal=QUIT']);
    expect(await words('run', '--stop-signal', '=', 'QU')).toEqual(['QUIT']);
  });

  test('knows networks and volumes, and what else options can have', async () => {
    await using root = await temporaryRoot();
    (await lockNetworks(root)).release();
    await createNetwork(root, {
      ...{ name: 'backend', ipv6: false, subnets: ['192.0.2.0/24'], gateways: [], ipRanges: [] },
      ...{ mtu: 1500, internal: false, labels: {}, options: {} },
    });
    await createNamedVolume(root, { name: 'data', labels: {}, options: {} });
    expect(await words('run', '--network', 'b')).toContain('backend');
    expect(await words('run', '--network', '')).toContain('none');
    expect(await words('run', '--network=none')).toEqual(['--network=none']);
    expect(await words('network', 'rm', 'back')).toEqual(['backend']);
    expect(await words('network', 'inspect', 'backend', 'back')).toEqual([]);
    expect(await words('network', 'connect', 'back')).toEqual(['backend']);
    expect(await words('network', 'connect', 'backend', '')).toEqual([]);
    expect(await words('network', 'create', '')).toEqual([]);
    expect(await words('volume', 'rm', '')).toEqual(['data']);
    expect(await words('inspect', '')).toEqual(expect.arrayContaining(['backend', 'data']));
    expect(await words('inspect', '--type', 'volume', '')).toEqual(['data']);
    expect(await words('run', '--restart', 'o')).toEqual(['on-failure']);
    expect(await words('run', '--cap-drop', 'CAP_NET_')).toContain('CAP_NET_RAW');
    expect(await words('run', '--ulimit', 'nof')).toEqual(['nofile=']);
  });

  test('a shell that is not known is told which are', async () => {
    expect(await hrun('completion', 'csh')).toMatchObject({
      exitCode: 125,
      stderr: 'hrun: there is no completion for "csh"; use bash, zsh, fish\n',
    });
  });
});

describe('in the shell itself', () => {
  const run = (shell: string, ...args: string[]) =>
    execFileSync(shell, args, {
      cwd: dir,
      encoding: 'utf8',
      env: { PATH: process.env.PATH, HOME: dir, HRUN_ROOT: dir, HRUN },
      stdio: ['ignore', 'pipe', 'inherit'],
    });

  test('bash', () => {
    const script = `source <("$HRUN" completion bash)
      COMP_WORDS=("$HRUN" container pa) COMP_CWORD=2; _hrun; echo "\${COMPREPLY[@]}"
      COMP_WORDS=("$HRUN" run --engine q) COMP_CWORD=3; _hrun; echo "\${COMPREPLY[@]}"`;
    expect(run('bash', '-c', script)).toBe('pause\nqemu\n');
  });

  test('zsh', () => {
    const script = `autoload -Uz compinit && compinit -u -d "$HOME/.zcompdump"
      source <("$HRUN" completion zsh)
      _describe() { print -l -- \${(P)2} }
      words=("$HRUN" container pa) CURRENT=3; _hrun`;
    expect(run('zsh', '-f', '-c', script)).toBe('pause:Let containers stand still\n');
  });

  test('fish', () => {
    const script = `$HRUN completion fish | source
      function hrun; $HRUN $argv; end
      complete -C 'hrun container pa'`;
    expect(run('fish', '--no-config', '-c', script)).toBe('pause\tLet containers stand still\n');
  });
});
