// SPDX-License-Identifier: Apache-2.0
// --network cni:NAME with the plug-ins of containernetworking-plugins, on a network namespace of the test's own.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { rootAt } from '../../src/base/root.ts';
import { storeTag } from '../../src/network/network.ts';
import { eventually, FIXTURES, isAlive, TestStore } from './hrun.ts';
import { hostNetworkObstacle, OwnNetwork } from './own-network.ts';

const PLUGINS = '/usr/lib/cni';
const cannot =
  hostNetworkObstacle() ?? (existsSync(join(PLUGINS, 'bridge')) ? undefined : `needs ${PLUGINS}`);
const NAMESPACES = '/run/netns';
const SERVER = ['busybox', 'sh', '-c', 'exec nc -ll -p 80 -e echo hi'];

describe.skipIf(cannot)(`CNI networks${cannot ? ` (this host cannot: ${cannot})` : ''}`, () => {
  const lists = new TestStore();
  const store = new TestStore({
    NETCONFPATH: lists.dir,
    CNI_PATH: `${lists.dir}:${PLUGINS}`,
    HRUN_NETWORK: '',
  });
  const leases = join(store.dir, 'leases');
  const records = join(store.dir, 'networks/.cni');
  let host: OwnNetwork;

  const bridge = {
    type: 'bridge',
    bridge: 'cnitest0',
    isGateway: true,
    ipMasq: true,
    mtu: 1400,
    capabilities: { ips: true, mac: true },
    dns: { nameservers: ['10.77.0.1'], search: ['lan.example'] },
    ipam: {
      type: 'host-local',
      dataDir: leases,
      ranges: [[{ subnet: '10.77.0.0/24' }], [{ subnet: 'fd00:77::/64' }]],
      routes: [{ dst: '0.0.0.0/0' }, { dst: '198.51.100.0/24', gw: '10.77.0.9' }],
    },
  };
  const portmap = { type: 'portmap', capabilities: { portMappings: true } };
  const put = (name: string, plugins: object[], more: object = {}) =>
    writeFileSync(
      join(lists.dir, `${name}.conflist`),
      JSON.stringify({ cniVersion: '1.0.0', name, plugins, ...more }),
    );
  const script = (name: string, text: string) =>
    writeFileSync(join(lists.dir, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });

  const list = (path: string) => (existsSync(path) ? readdirSync(path) : []);
  const namespaces = () =>
    list(NAMESPACES).filter((name) => name.startsWith(`${storeTag(rootAt(store.dir))}-`));
  const held = () =>
    list(leases)
      .flatMap((name) => list(join(leases, name)))
      .filter((name) => /^[0-9a-f.:]+$/.test(name))
      .sort();
  /** All that a container could leave behind. */
  const left = async () => ({
    namespaces: namespaces(),
    records: list(records),
    leases: held(),
    links: (await host.shell('ip -br link show type veth')).stdout,
    rules: (
      await host.shell('(iptables-save; ip6tables-save) | grep -cE "10.77.0|fd00:77" || true')
    ).stdout.trim(),
  });
  const NOTHING = { namespaces: [], records: [], leases: [], links: '', rules: '0' };
  /** The kernel takes a namespace apart when it has the time. */
  const untilNothing = async () => {
    await eventually(async () => isDeepStrictEqual(await left(), NOTHING)).catch(() => {});
    expect(await left()).toEqual(NOTHING);
  };
  const blue = (...args: string[]) => host.hrun(['run', '--network', 'cni:blue', ...args]);
  const inspect = async (id: string, template: string) =>
    (await host.out('inspect', '-f', template, id)).trim();

  beforeAll(async () => {
    host = new OwnNetwork(store);
    await store.load(FIXTURES);
    put('blue', [bridge, portmap, { type: 'firewall' }, { type: 'tuning' }]);
  });
  afterEach(async () => {
    for (const id of store.containers()) await host.tryHrun(['rm', '-f', id]);
    await untilNothing();
  });
  afterAll(() => {
    host.close();
    store.remove();
    lists.remove();
  });

  test('a machine has the MAC address, addresses, routes, MTU and DNS that its namespace and result say', async () => {
    const id = (
      await blue(
        ...['-d', '--ip', '10.77.0.2', '--ip6', 'fd00:77::2', '--add-host', 'up:host-gateway'],
        ...['busybox', 'sleep', '1000'],
      )
    ).stdout.trim();
    const [space] = namespaces();
    const within = async (command: string) =>
      (await host.shell(`nsenter --net=${NAMESPACES}/${space} ${command}`)).stdout;
    const inside = async (command: string) => await host.out('exec', id, 'sh', '-c', command);
    const mac = JSON.parse(await within('ip -j link show eth0'))[0].address;
    expect(await inside('cat /sys/class/net/eth0/address /sys/class/net/eth0/mtu')).toBe(`${mac}\n1400\n`);
    expect(await inside('ip -4 route | sed "s/ *$//" | sort')).toBe(
      '10.77.0.0/24 dev eth0 scope link  src 10.77.0.2\n198.51.100.0/24 via 10.77.0.9 dev eth0\ndefault via 10.77.0.1 dev eth0\n',
    );
    expect(await inside('ip -6 -o addr show dev eth0 scope global')).toContain('fd00:77::2/64');
    expect(await inside('cat /etc/resolv.conf')).toBe('nameserver 10.77.0.1\nsearch lan.example\n');
    expect(await inside('grep 10.77 /etc/hosts')).toMatch(/^10\.77\.0\.2\t[0-9a-f]{12}\n10\.77\.0\.1\tup\n$/);
    const networks = JSON.parse(await inspect(id, '{{json .NetworkSettings.Networks}}'));
    expect(networks).toMatchObject({
      'cni:blue': {
        IPAddress: '10.77.0.2',
        IPPrefixLen: 24,
        Gateway: '10.77.0.1',
        MacAddress: mac,
        GlobalIPv6Address: 'fd00:77::2',
      },
    });
    expect(await inspect(id, '{{.HostConfig.NetworkMode}}')).toBe('cni:blue');
    expect(held()).toEqual(['10.77.0.2', 'fd00:77::2']);
    await host.hrun(['stop', '-t', '0', id]);
    await untilNothing();
    expect(JSON.parse(await inspect(id, '{{json .NetworkSettings.Networks}}'))).toMatchObject({
      'cni:blue': { IPAddress: '' },
    });
  });

  test('machines reach each other, the host and what is beyond it, both ways, with large packets', async () => {
    const outside = await host.neighbour();
    try {
      const server = await outside.serve('192.0.2.2', 3_000_000);
      await host.shell('sysctl -qw net.ipv4.ip_forward=1');
      const id = (await blue('-d', '--ip', '10.77.0.2', ...SERVER)).stdout.trim();
      const script = `wget -q -O - http://192.0.2.2:${server.port}/ | md5sum; nc -w 30 10.77.0.2 80 </dev/null
        head -c 2000000 /dev/zero | nc -w 60 192.0.2.2 ${server.sinkPort}; ping -c 1 -w 60 -s 3000 10.77.0.1 | grep -c 'seq=0'`;
      await host.until(
        async () => (await host.shell('busybox nc -w 5 10.77.0.2 80 </dev/null')).stdout === 'hi\n',
      );
      const other = await blue('--rm', 'busybox', 'sh', '-c', script);
      expect(other.stdout).toBe(`${server.md5}  -\nhi\n2000000\n1\n`);
      expect(await inspect(id, '{{.State.Running}}')).toBe('true');
    } finally {
      outside.close();
    }
  });

  test('ports are published by the plug-in that has the capability, and shown', async () => {
    const id = (await blue('-d', '-p', '8080:80', '-p', '127.0.0.1::80', ...SERVER)).stdout.trim();
    const shown = (await host.out('port', id)).split('\n');
    expect(shown).toContain('80/tcp -> 0.0.0.0:8080');
    const port = shown.map((line) => /127\.0\.0\.1:(\d+)$/.exec(line)?.[1]).find(Boolean)!;
    for (const each of ['8080', port])
      await host.until(
        async () => (await host.shell(`busybox nc -w 5 127.0.0.1 ${each} </dev/null`)).stdout === 'hi\n',
      );
    const taken = await host.tryHrun(['run', '--network', 'cni:blue', '-p', '8080:80', 'busybox', 'true']);
    expect(taken.stderr).toContain('Bind for 0.0.0.0:8080 failed: port is already allocated');
    put('plain', [bridge]);
    expect(await host.says('run', '--network', 'cni:plain', '-p', '80', 'busybox', 'true')).toContain(
      '-p: no plug-in of CNI network plain has the capability portMappings',
    );
    await host.hrun(['restart', '-t', '0', id]);
    await host.until(
      async () => (await host.shell('busybox nc -w 5 127.0.0.1 8080 </dev/null')).stdout === 'hi\n',
    );
    // What hrun's own networks publish is made anew without them.
    await host.hrun(['run', '--rm', '--network', 'bridge', 'busybox', 'true']);
    expect(
      (
        await host.shell(
          'nft list table inet $(nft list tables | sed -n "s/table inet //p" | grep _networks) | grep -c 10.77',
        )
      ).stdout,
    ).toBe('0\n');
  });

  test('addresses can be asked for, and what plug-ins do not give is an error that leaves nothing', async () => {
    const show =
      'ip -4 -o addr show eth0 | grep -o "inet [0-9.]*"; ip -6 -o addr show dev eth0 scope global | grep -o "inet6 [0-9a-f:]*"; cat /sys/class/net/eth0/address';
    const asked = ['--ip', '10.77.0.50', '--ip6', 'fd00:77::50', '--mac-address', '02:42:0A:4D:00:32'];
    expect((await blue('--rm', ...asked, 'busybox', 'sh', '-c', show)).stdout).toBe(
      'inet 10.77.0.50\ninet6 fd00:77::50\n02:42:0a:4d:00:32\n',
    );
    await untilNothing();
    put('static', [
      { ...bridge, capabilities: {}, ipam: { type: 'static', addresses: [{ address: '10.77.0.7/24' }] } },
    ]);
    const refused = await host.tryHrun([
      'run',
      '--network',
      'cni:static',
      '--mac-address',
      '02:42:0a:4d:00:32',
      '--ip6',
      'fd00:77::50',
      'busybox',
      'true',
    ]);
    expect(refused.stderr).toContain('cni:static did not give the container the address fd00:77::50');
    expect(refused.exitCode).toBe(125);
    await untilNothing();
  });

  test('a guest sends from its own addresses only', async () => {
    await blue('-d', '--name', 'liar', '--ip', '10.77.0.2', '--privileged', 'busybox', 'sleep', '1000');
    const from = async (address: string) =>
      (
        await host.tryHrun([
          'exec',
          'liar',
          'sh',
          '-c',
          `ip addr add ${address}/24 dev eth0 2>/dev/null; ping -c 2 -w 30 -I ${address} 10.77.0.1`,
        ])
      ).exitCode;
    expect(await from('10.77.0.2')).toBe(0);
    expect(await from('10.77.0.99')).not.toBe(0);
  });

  test('rates hold, and can be changed while it runs', async () => {
    await blue('-d', '--name', 'slow', '--network-bps', 'out=1mb', 'busybox', 'sleep', '1000');
    const limits = async () =>
      (await host.shell(`nsenter --net=${NAMESPACES}/${namespaces()[0]} tc qdisc show dev hrun0`)).stdout;
    expect(await limits()).not.toContain('tbf');
    await host.hrun(['update', '--network-bps', 'in=2mb', 'slow']);
    expect(await limits()).toContain('tbf');
  });

  test('plug-ins that fail, answer with garbage or are missing are told of in one line; nothing is left', async () => {
    const run = async (name: string) => {
      const result = await host.tryHrun(['run', '--rm', '--network', `cni:${name}`, 'busybox', 'true']);
      await untilNothing();
      expect(store.containers()).toEqual([]);
      return [result.exitCode, result.stderr.split('\n')[0]];
    };
    script(
      'angry',
      `cat >/dev/null; [ $CNI_COMMAND = DEL ] || { echo '{"cniVersion":"1.0.0","code":100,"msg":"not today"}'; exit 1; }`,
    );
    script('mumbler', `cat >/dev/null; [ $CNI_COMMAND = DEL ] || echo 'all is well'`);
    put('angry', [bridge, { type: 'angry' }]);
    put('mumbler', [bridge, { type: 'mumbler' }]);
    put('absent', [bridge, { type: 'absent' }]);
    put('empty', [{ type: 'mumbler2' }]);
    script('mumbler2', `cat >/dev/null; echo '{"cniVersion":"1.0.0"}'`);
    expect(await run('angry')).toEqual([125, 'hrun: CNI network angry: plug-in angry: not today']);
    expect(await run('mumbler')).toEqual([
      125,
      'hrun: CNI network mumbler: plug-in mumbler: its answer is no JSON object',
    ]);
    expect(await run('absent')).toEqual([
      125,
      `hrun: CNI network absent needs the plug-in absent, which is not in ${lists.dir}, ${PLUGINS}; install it there, or name its directory in CNI_PATH`,
    ]);
    expect(await run('empty')).toEqual([125, 'hrun: CNI network empty: its plug-ins made no interface eth0']);
    const [code, line] = await run('nobody');
    expect([code, line]).toEqual([
      125,
      expect.stringMatching(/^hrun: no CNI network "nobody": .* has .*blue/),
    ]);
  });

  test('what goes with no CNI network is refused', async () => {
    for (const [args, words] of [
      [['--network', 'cni:blue', '--network', 'bridge'], 'cni:blue goes with no other network'],
      [['--network', 'cni:blue', '--egress', 'none'], '--egress cannot hold in cni:blue'],
      [['--network', 'cni:blue', '--network-alias', 'x'], '--network-alias cannot be had'],
    ] as const)
      expect(await host.says('run', '--rm', ...args, 'busybox', 'true')).toContain(words);
    await host.hrun(['network', 'create', 'own']);
    await blue('-d', '--name', 'web', 'busybox', 'sleep', '1000');
    expect(await host.says('network', 'connect', 'own', 'web')).toContain(
      'web has cni:blue, which goes with no other',
    );
    await host.hrun(['network', 'rm', 'own']);
  });

  test('another container can join its machine', async () => {
    await blue('-d', '--name', 'pod', ...SERVER);
    const script = 'until nc -w 5 127.0.0.1 80 </dev/null | grep hi; do sleep 0.1; done';
    const joined = await host.hrun([
      'run',
      '--rm',
      '--network',
      'container:pod',
      'busybox',
      'sh',
      '-c',
      script,
    ]);
    expect(joined.stdout).toBe('hi\n');
  });

  test('a restart policy has the network that the start had', async () => {
    const id = (
      await blue(
        '-d',
        '--restart',
        'on-failure:2',
        'busybox',
        'sh',
        '-c',
        'ping -c 1 -w 30 10.77.0.1 >/dev/null && echo up; exit 3',
      )
    ).stdout.trim();
    await eventually(() => store.state(id).status === 'exited');
    expect(await host.out('logs', id)).toBe('up\nup\nup\n');
    await untilNothing();
  });

  test('kill -9 of the keeper leaves what the next command takes away, or system check --repair', async () => {
    const kill = async () => {
      const id = (await blue('-d', '-p', '8080:80', ...SERVER)).stdout.trim();
      const { monitorPid } = store.state(id);
      process.kill(monitorPid, 'SIGKILL');
      await eventually(() => !isAlive(monitorPid));
      return id;
    };
    const first = await kill();
    await host.hrun(['ps']);
    await untilNothing();
    await host.hrun(['start', first]);
    await host.until(
      async () => (await host.shell('busybox nc -w 5 127.0.0.1 8080 </dev/null')).stdout === 'hi\n',
    );
    await host.hrun(['rm', '-f', first]);
    await untilNothing();

    await kill();
    await eventually(() => store.processes().length === 0);
    expect(list(records)).toHaveLength(1);
    const found = await host.tryHrun(['system', 'check', '--quick', '--repair']);
    expect(found.stdout + found.stderr).toContain('tells of what container');
    await untilNothing();
  });

  test('kill -9 of the command that starts it, and a command that cannot be started, leave nothing either', async () => {
    script('assassin', 'cat >/dev/null; [ $CNI_COMMAND = DEL ] || kill -9 $PPID');
    put('assassin', [bridge, { type: 'assassin' }]);
    const killed = await host.tryHrun([
      'run',
      '--name',
      'victim',
      '--network',
      'cni:assassin',
      'busybox',
      'true',
    ]);
    expect(killed.exitCode).not.toBe(0);
    expect(list(records)).toHaveLength(1);
    await host.hrun(['rm', 'victim']);
    await untilNothing();
    const absent = await host.tryHrun(['run', '--network', 'cni:blue', 'busybox', 'no-such-command']);
    expect(absent.exitCode).toBe(127);
    await untilNothing();
  });

  test('what a plug-in will not take away is told, kept on record, and tried again', async () => {
    script(
      'stubborn',
      `in=$(cat); if [ $CNI_COMMAND = ADD ]; then printf '%s' "$in" | jq -c .prevResult; elif [ -e ${lists.dir}/stop ]; then echo '{"code":1,"msg":"I stay"}'; exit 1; fi`,
    );
    put('stubborn', [bridge, { type: 'stubborn' }]);
    writeFileSync(join(lists.dir, 'stop'), '');
    await host.hrun(['run', '--rm', '--network', 'cni:stubborn', 'busybox', 'true']);
    expect(list(records)).toHaveLength(1);
    expect(namespaces()).toEqual([]);
    const check = await host.tryHrun(['system', 'check', '--quick', '--repair']);
    expect(check.exitCode).toBe(1);
    expect(check.stdout + check.stderr).toContain('plug-in stubborn: I stay');
    rmSync(join(lists.dir, 'stop'));
    expect((await host.tryHrun(['system', 'check', '--quick', '--repair'])).exitCode).toBe(0);
    await untilNothing();
  });

  test('a namespace of no container is found and removed', async () => {
    const path = join(NAMESPACES, `${storeTag(rootAt(store.dir))}-0123456789ab`);
    mkdirSync(NAMESPACES, { recursive: true });
    writeFileSync(path, '');
    const found = await host.tryHrun(['system', 'check', '--quick']);
    expect(found.stdout + found.stderr).toContain('is a network namespace of no container');
    await host.hrun(['system', 'check', '--quick', '--repair']);
    expect(existsSync(path)).toBe(false);
  });

  test('plug-ins are asked by system check whether all is in order', async () => {
    put('plain', [bridge]);
    await host.hrun(['run', '-d', '--network', 'cni:plain', 'busybox', 'sleep', '1000']);
    const before = await host.tryHrun(['system', 'check', '--quick']);
    expect(before.stdout + before.stderr).not.toContain('.cni');
    await host.shell(`nsenter --net=${NAMESPACES}/${namespaces()[0]} ip route del 198.51.100.0/24`);
    const check = await host.tryHrun(['system', 'check', '--quick']);
    expect(check.exitCode).toBe(0);
    expect(check.stdout + check.stderr).toContain('is not in order: CNI network plain: plug-in bridge:');
  });

  test('two starts of one container at once are one start', async () => {
    const id = (await host.out('create', '--network', 'cni:blue', 'busybox', 'sleep', '1000')).trim();
    expect(await inspect(id, '{{.HostConfig.NetworkMode}}')).toBe('cni:blue');
    expect(await left()).toEqual(NOTHING);
    const both = await Promise.all([host.tryHrun(['start', id]), host.tryHrun(['start', id])]);
    expect(both.filter(({ exitCode }) => exitCode === 0).length).toBeGreaterThan(0);
    expect(store.state(id).status).toBe('running');
    expect(await host.out('exec', id, 'ip', '-4', '-o', 'addr', 'show', 'eth0')).toContain('10.77.0.');
    expect(held()).toHaveLength(2);
    expect(JSON.parse(readFileSync(join(records, id), 'utf8')).plugins).toHaveLength(4);
  });
});
