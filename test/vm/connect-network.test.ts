// SPDX-License-Identifier: Apache-2.0
// Networks that come and go, on a network namespace of the test's own: the machine's network is never touched.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { rootAt } from '../../src/base/root.ts';
import { settingsPath } from '../../src/base/settings.ts';
import { readContainerConfig } from '../../src/container/index.ts';
import { writeNetworks } from '../../src/core/network-files.ts';
import { FIXTURES, TestStore } from './hrun.ts';
import { hostNetworkObstacle, OwnNetwork } from './own-network.ts';

const cannot = hostNetworkObstacle();
const PROGRAM = join(import.meta.dirname, '../../build/native/hrun-vmm');
const SLEEP = ['busybox', 'sleep', '1000'];

describe.skipIf(cannot)(`network connect${cannot ? ` (this host cannot: ${cannot})` : ''}`, () => {
  const store = new TestStore();
  let host: OwnNetwork;

  const out = (...args: string[]) => host.out(...args);
  const says = (...args: string[]) => host.says(...args);
  const leases = (name: string) => store.leases(name);
  const taps = async () => (await host.shell('ip -o link show type tun | wc -l')).stdout.trim();
  const interfaces = (name: string) =>
    out(
      'exec',
      name,
      'sh',
      '-c',
      'ip -o -4 addr | sed -n "s/.*\\(eth.*\\) scope.*/\\1/p"; ip route | sed -n /default/p',
    );
  const inspected = (name: string) =>
    out('inspect', '-f', '{{range $n, $_ := .NetworkSettings.Networks}}{{$n}} {{end}}', name);

  beforeAll(async () => {
    host = new OwnNetwork(store);
    await store.load(FIXTURES);
    await host.hrun(['network', 'create', '--subnet', '10.71.0.0/24', 'a']);
    await host.hrun(['network', 'create', '--subnet', '10.72.0.0/24', 'b']);
  });
  afterEach(async () => {
    for (const id of store.containers()) await host.hrun(['rm', '-f', id]);
    expect([leases('a'), leases('b')]).toEqual([[], []]);
    await host.until(async () => (await taps()) === '0');
  });
  afterAll(async () => {
    for (const name of ['a', 'b']) await host.hrun(['network', 'rm', name]);
    host.close();
    store.remove();
  });

  test('gives a running container an interface, names and routes, and disconnect takes them away', async () => {
    await out('run', '-d', '--name', 'web', '--network', 'a', '--hostname', 'server', ...SLEEP);
    await out('run', '-d', '--name', 'db', '--network', 'b', ...SLEEP);
    const options = ['--ip', '10.72.0.9', '--alias', 'www', '--mac-address', '02:00:00:00:00:07'];
    await out('network', 'connect', ...options, 'b', 'web');
    expect(await interfaces('web')).toBe(
      'eth0    inet 10.71.0.2/24 brd 10.71.0.255\neth1    inet 10.72.0.9/24 brd 10.72.0.255\n' +
        'default via 10.71.0.1 dev eth0 \ndefault via 10.72.0.1 dev eth1  metric 1 \n',
    );
    expect(await out('exec', 'web', 'sh', '-c', 'tail -2 /etc/hosts; cat /sys/class/net/eth1/address')).toBe(
      '10.71.0.2\tserver\n10.72.0.9\tserver\n02:00:00:00:00:07\n',
    );
    expect(await out('exec', 'web', 'ping', '-c', '1', '-W', '30', 'db')).toContain('(10.72.0.2)');
    expect(await out('exec', 'db', 'ping', '-c', '1', '-W', '30', 'www')).toContain('(10.72.0.9)');
    expect(await inspected('web')).toBe('a b \n');
    await out('network', 'disconnect', 'a', 'web');
    expect(await interfaces('web')).toBe(
      'eth1    inet 10.72.0.9/24 brd 10.72.0.255\ndefault via 10.72.0.1 dev eth1  metric 1 \n',
    );
    expect(await out('exec', 'web', 'sh', '-c', 'tail -1 /etc/hosts; grep names /etc/resolv.conf')).toBe(
      '10.72.0.9\tserver\nnameserver 10.72.0.1\n',
    );
    expect(await out('exec', 'web', 'ping', '-c', '1', '-W', '30', 'db')).toContain('(10.72.0.2)');
    expect([leases('a'), leases('b')]).toEqual([[], ['10.72.0.2', '10.72.0.9']]);
    for (const action of ['connect', 'disconnect']) await out('network', action, 'a', 'web');
    await out('network', 'disconnect', 'b', 'web');
    expect(await interfaces('web')).toBe('');
    expect(await inspected('web')).toBe('\n');
    expect(await taps()).toBe('1');
    expect((await host.tryHrun(['exec', 'db', 'nslookup', 'www'])).stdout).not.toContain('10.72.0.9');
    const events = await out(
      'events',
      '--since',
      '10m',
      '--until',
      '0s',
      '--filter',
      'type=network',
      '--format',
      '{{.Action}} {{.Actor.Attributes.name}}',
    );
    expect(events).toBe('connect b\ndisconnect a\nconnect a\ndisconnect a\ndisconnect b\n');
  });

  test('of a container that stands still is there from its next start on', async () => {
    await out('create', '--name', 'web', '--network', 'a', '-p', '127.0.0.1::80', ...SLEEP);
    await out('network', 'connect', 'b', 'web');
    await out('network', 'disconnect', 'a', 'web');
    expect([leases('a'), leases('b')]).toEqual([[], ['10.72.0.2']]);
    await out('start', 'web');
    expect(await interfaces('web')).toContain('eth1    inet 10.72.0.2/24');
    await out('stop', '-t', '0', 'web');
    await out('network', 'disconnect', 'b', 'web');
    await out('start', 'web');
    expect(await out('exec', 'web', 'ls', '/sys/class/net')).toBe('lo\n');
    expect(await out('port', 'web')).toBe('');
  });

  test('has published ports lead to the network that is left, and nowhere when none leads outside', async () => {
    const serve = 'exec nc -ll -p 80 -e echo hi';
    const words = ['--network', 'a', '-p', '8080:80', '-p', '5353:53/udp', 'busybox', 'sh', '-c', serve];
    await out('network', 'create', '--internal', '--subnet', '10.73.0.0/24', 'inner');
    await out('run', '-d', '--name', 'web', ...words);
    const answer = async () => (await host.shell('busybox nc -w 5 127.0.0.1 8080 </dev/null')).stdout.trim();
    const both = '53/udp -> 0.0.0.0:5353\n80/tcp -> 0.0.0.0:8080\n';
    const record = () => readdirSync(join(store.dir, 'networks/.ports'));
    await host.until(async () => (await answer()) === 'hi');

    await out('network', 'connect', 'b', 'web');
    expect([await out('port', 'web'), await answer()]).toEqual([both, 'hi']);
    await out('network', 'disconnect', 'a', 'web');
    expect([await out('port', 'web'), await answer()]).toEqual([both, 'hi']);
    expect(await out('run', '--rm', '--network', 'a', 'busybox', 'hostname', '-i')).toBe('10.71.0.2\n'); // free again

    await out('network', 'connect', 'inner', 'web');
    await out('network', 'disconnect', 'b', 'web');
    expect([await out('port', 'web'), await answer(), record()]).toEqual(['', '', []]);

    const other = await host.program(
      "require('node:net').createServer().listen(8080, '0.0.0.0', () => console.log('up'))",
    );
    expect(await says('network', 'connect', 'b', 'web')).toBe(
      'hrun: Bind for 0.0.0.0:8080 failed: port is already allocated\n',
    );
    expect([await inspected('web'), leases('b'), record()]).toEqual(['inner \n', [], []]);
    const gone = new Promise((resolve) => other.once('exit', resolve));
    other.kill('SIGKILL');
    await gone;
    await out('network', 'connect', 'b', 'web');
    expect([await out('port', 'web'), await answer()]).toEqual([both, 'hi']);
    await out('rm', '-f', 'web');
    expect([await answer(), record()]).toEqual(['', []]);
    await out('network', 'rm', 'inner');
  });

  test('holds for the runs of a restart policy, and for a container that stands still in its cgroup', async () => {
    const command = ['sh', '-c', 'while [ ! -e /stop ]; do sleep .1; done; rm /stop; exit 1'];
    await out('run', '-d', '--name', 'web', '--restart', 'always', '--network', 'a', 'busybox', ...command);
    await out('pause', 'web');
    await out('network', 'connect', 'b', 'web');
    await out('unpause', 'web');
    await out('network', 'disconnect', 'a', 'web');
    await out('exec', 'web', 'touch', '/stop');
    await host.until(
      async () =>
        (await out('inspect', '-f', '{{.RestartCount}} {{.State.Status}}', 'web')) === '1 running\n',
    );
    expect(await interfaces('web')).toBe(
      'eth1    inet 10.72.0.2/24 brd 10.72.0.255\ndefault via 10.72.0.1 dev eth1  metric 1 \n',
    );
    await out('run', '--rm', '--network', 'b', 'busybox', 'ping', '-c', '1', '-W', '30', 'web');
  });

  test('leaves a guest whose interface is taken away without its leave able to go on', async () => {
    await out('run', '-d', '--name', 'web', '--network', 'a', '--network', 'b', ...SLEEP);
    const directory = join(store.dir, 'containers', store.containers()[0]!);
    const taken = await host.shell(
      `${PROGRAM} --unplug ${directory} 20 && ${PROGRAM} --unplug ${directory} 20`,
    );
    expect(taken).toMatchObject({ exitCode: 0, stderr: '' });
    expect(
      (await host.tryHrun(['exec', 'web', 'ping', '-c', '1', '-W', '1', '10.72.0.1'])).exitCode,
    ).not.toBe(0);
    await out('network', 'disconnect', 'b', 'web');
    await out('network', 'connect', 'b', 'web');
    await out('exec', 'web', 'ping', '-c', '1', '-W', '30', '10.72.0.1');
  });

  test('is refused in Docker’s words, and changes nothing then', async () => {
    await out('run', '-d', '--name', 'web', '--network', 'a', ...SLEEP);
    await out('create', '--name', 'alone', '--network', 'none', ...SLEEP);
    const refusals = [
      [['connect', 'a', 'web'], 'endpoint with name web already exists in network a'],
      [['disconnect', 'b', 'web'], 'container web is not connected to the network b'],
      [['connect', 'nowhere', 'web'], 'network nowhere not found'],
      [['connect', 'b', 'nobody'], 'no such container: nobody'],
      [
        ['connect', '--ip', '10.71.0.9', 'b', 'web'],
        'the address 10.71.0.9 is not in the subnet 10.72.0.0/24',
      ],
      [['connect', '--alias', 'x', 'bridge', 'web'], 'network bridge not found'],
      [['connect', 'b', 'alone'], 'one of the networks in private (none) mode'],
    ] as const;
    for (const [args, message] of refusals) expect(await says('network', ...args)).toContain(message);
    await out('run', '-d', '--name', 'other', '--network', 'b', ...SLEEP);
    expect(await says('network', 'connect', '--ip', '10.72.0.2', 'b', 'web')).toContain(
      '10.72.0.2 is already in use',
    );
    expect([await inspected('web'), leases('b')]).toEqual(['a \n', ['10.72.0.2']]);
  });

  test('that was killed half-way is undone or completed by whoever comes next', async () => {
    await out('create', '--name', 'web', '--network', 'a', ...SLEEP);
    const [id] = store.containers();
    // The address was taken, and nothing written down.
    await host.shell(`printf %s ${id} > ${join(store.dir, 'networks/b/leases/10.72.0.7')}`);
    // The network was written down, and the machine not told.
    const config = settingsPath(join(store.dir, 'containers', id!), 'config.json');
    await out('network', 'connect', 'b', 'web');
    const after = await host.shell(`cat ${config}`);
    await out('network', 'disconnect', 'b', 'web');
    await host.shell(`printf %s ${id} > ${join(store.dir, 'networks/b/leases/10.72.0.2')}`);
    await host.shell(`cat > ${config} <<'END'\n${after.stdout}\nEND`);
    await out('start', 'web');
    expect(await interfaces('web')).toContain('eth1    inet 10.72.0.2/24');
    expect(await says('network', 'rm', 'b')).toContain('is in use by web');
    expect(leases('b')).toEqual(['10.72.0.2']);
    expect(existsSync(config)).toBe(true);
  });

  test('that was killed before the ports led elsewhere keeps the address that they lead to', async () => {
    const networks = ['--network', 'a', '--network', 'b'];
    await out('run', '-d', '--name', 'web', ...networks, '-p', '127.0.0.1:8080:80', ...SLEEP);
    const directory = join(store.dir, 'containers', store.containers()[0]!);
    const { networks: both } = readContainerConfig(directory);
    await writeNetworks(rootAt(store.dir), directory, [both[1]!]);
    expect(await out('system', 'check', '--repair')).not.toContain('leases');
    await out('create', '--name', 'next', '--network', 'a', ...SLEEP);
    expect(leases('a')).toEqual(['10.71.0.2', '10.71.0.3']);
    const led = async () =>
      (await host.shell('nft list ruleset | grep -o "10.7[0-9.]* [.] 80"')).stdout.trim();
    expect(await led()).toBe('10.71.0.2 . 80');
    await out('network', 'disconnect', 'b', 'web');
    expect(await led()).toBe('');
    await out('rm', '-f', 'next');
    await host.until(async () => leases('a').length === 0);
  });
});
