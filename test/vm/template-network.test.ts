// SPDX-License-Identifier: Apache-2.0
// Templates that have a network interface (docs/templates.md), on a network namespace of the test's own: the machine's network is never touched.
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { childOf, FIXTURES, HRUN, isAlive, TestStore } from './hrun.ts';
import { hostNetworkObstacle, OwnNetwork } from './own-network.ts';

const cannot = hostNetworkObstacle();
const OF_MACHINE =
  'cat /proc/cmdline | grep -o -- "--template.*"; echo "$(ls /sys/class/net | grep -c ^eth)"';
const SLEEP = ['busybox', 'sleep', '1000'];

describe.skipIf(cannot)('a template that has an interface', () => {
  const store = new TestStore({ HRUN_TEMPLATES: 'use', HRUN_NETWORK: 'bridge' });
  let host: OwnNetwork;

  const out = async (...args: string[]) => (await host.out(...args)).trim();
  const inside = (name: string, script: string) => out('exec', name, 'sh', '-c', script);
  const taps = async () =>
    (await host.shell('ip -o link')).stdout.match(/(?<=: )hr[^:@-]*[0-9a-f]{5}(?=:)/g) ?? [];
  const prepared = () => readdirSync(join(store.dir, 'head-start')).filter((name) => name.endsWith('.nic'));
  const reaches = (name: string, address: string) =>
    inside(name, `ping -c 1 -W 30 ${address} >/dev/null && echo yes`);
  const address = (name: string) =>
    out('inspect', '-f', '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{.MacAddress}}{{end}}', name);

  beforeAll(async () => {
    host = new OwnNetwork(store);
    await store.load(FIXTURES);
    await out('template', 'create', '--network', 'none');
    await out('network', 'create', '--ipv6', '--subnet', '10.71.0.0/24', '--subnet', 'fd71::/64', 'six');
    await out('network', 'create', '--subnet', '10.72.0.0/24', '-o', 'mtu=9000', 'jumbo');
  });
  beforeEach(async () => {
    if ((await out('template', 'ls', '--format', '{{.NIC}}')).includes('yes') && prepared().length > 0)
      return;
    await out('template', 'create');
  });
  afterEach(async () => {
    for (const id of store.containers()) await host.hrun(['rm', '-f', id]);
    await host.until(async () => store.processes().length === 0);
    expect(await taps()).toEqual([]);
  });
  afterAll(async () => {
    for (const name of ['six', 'jumbo']) await host.hrun(['network', 'rm', name]);
    host.close();
    store.remove();
  });

  test('is one of its own beside that without, and leaves nothing on the host', async () => {
    expect((await out('template', 'ls', '--format', '{{.NIC}}')).split('\n').sort()).toEqual(['no', 'yes']);
    expect(await out('run', '--rm', 'busybox', 'sh', '-c', OF_MACHINE)).toBe('--template 0 --nic 19\n1');
    expect(await out('run', '--rm', '--network', 'none', 'busybox', 'sh', '-c', OF_MACHINE)).toBe(
      '--template 0\n0',
    );
  });

  test('leaves nothing of what its process has rehearsed', async () => {
    const [template] = JSON.parse(
      await out('template', 'inspect', (await out('template', 'ls', '-q')).split('\n')[0]!),
    );
    expect(template.frozen).toBe(true);
    const shown = await out('run', '--rm', 'busybox', 'sh', '-c', 'ip addr; ip route; cat /proc/net/arp');
    expect(shown).toContain('inet 172.31.');
    expect(shown).not.toContain('192.0.2.');
    const addressless = await out('run', '--rm', '--network', 'none', 'busybox', 'ip', 'addr');
    expect(addressless).not.toContain('192.0.2.');
  });

  test('gives each copy an interface with an address and a MAC address of its own, and no IPv6 unasked', async () => {
    const names = ['one', 'two', 'three'];
    await Promise.all(names.map((name) => out('run', '-d', '--name', name, ...SLEEP)));
    const shown = await Promise.all(names.map(address));
    expect(new Set(shown).size).toBe(3);
    for (const [index, name] of names.entries()) {
      const script =
        "ip -4 -o addr show eth0 | awk '{print $4}' | cut -d/ -f1; cat /sys/class/net/eth0/address";
      expect((await inside(name, script)).replace('\n', ' ')).toBe(shown[index]);
      expect(await inside(name, 'ip -6 addr show eth0; cat /sys/class/net/eth0/mtu')).toBe('1500');
      expect(await reaches(name, '172.31.0.1')).toBe('yes');
    }
    expect(await reaches('one', shown[1]!.split(' ')[0]!)).toBe('yes');
    expect(await taps()).toHaveLength(3);
  });

  test('is changed to whatever network it is: IPv6, packets of 9000 bytes, the MAC address that was asked for', async () => {
    const mac = '02:42:ac:00:00:77';
    await out('run', '-d', '--name', 'six', '--network', 'six', '--mac-address', mac, ...SLEEP);
    expect(await inside('six', 'cat /sys/class/net/eth0/address')).toBe(mac);
    const addresses = await inside('six', "ip -6 -o addr show eth0 | awk '{print $4, $6}' | sort");
    expect(addresses).toMatch(/^fd71::2\/64 global\nfe80::42:acff:fe00:77\/64 link$/);
    expect(await inside('six', 'cat /proc/sys/net/ipv6/conf/eth0/accept_ra')).toBe('0');
    expect(await reaches('six', 'fd71::1')).toBe('yes');
    await out('run', '-d', '--name', 'long', '--network', 'jumbo', ...SLEEP);
    expect(
      await inside('long', 'cat /sys/class/net/eth0/mtu; ping -c 1 -s 8900 10.72.0.1 >/dev/null && echo yes'),
    ).toBe('9000\nyes');
  });

  test('is the first of several, and goes and comes while the container runs', async () => {
    await out('run', '-d', '--name', 'both', '--network', 'six', '--network', 'jumbo', ...SLEEP);
    expect(await inside('both', 'cd /sys/class/net; cat eth0/mtu eth1/mtu')).toBe('1500\n9000');
    await out('network', 'disconnect', 'six', 'both');
    expect(await inside('both', 'ls /sys/class/net')).toBe('eth1\nlo');
    await out('network', 'connect', 'six', 'both');
    expect(await reaches('both', '10.71.0.1')).toBe('yes');
    expect(await reaches('both', '10.72.0.1')).toBe('yes');
  });

  test('is not copied by a run whose container has left its first network; the template stays as it is', async () => {
    const again =
      'test -e /again && exec sleep 1000; touch /again; until test -e /end; do sleep 0.1; done; exit 1';
    const networks = ['--network', 'six', '--network', 'jumbo'];
    await out(
      'run',
      '-d',
      '--name',
      'left',
      '--restart',
      'always',
      ...networks,
      'busybox',
      'sh',
      '-c',
      again,
    );
    await out('network', 'disconnect', 'six', 'left');
    await inside('left', 'touch /end');
    const state = '{{.RestartCount}} {{.State.Status}}';
    await host.until(async () => (await out('inspect', '-f', state, 'left')) === '1 running');
    expect(await inside('left', OF_MACHINE)).toBe('1');
    expect(await reaches('left', '10.72.0.1')).toBe('yes');
    expect(await out('run', '--rm', 'busybox', 'sh', '-c', OF_MACHINE)).toBe('--template 0 --nic 19\n1');
    await out('stop', '-t', '0', 'left');
    await out('start', 'left');
    expect(await inside('left', OF_MACHINE)).toBe('--template 0\n1');
  });

  test('has as many queues as the machine has CPUs', async () => {
    await out('template', 'create', '--cpus', '2');
    await out('run', '-d', '--name', 'wide', '--cpus', '2', ...SLEEP);
    expect(await inside('wide', `${OF_MACHINE}; ls /sys/class/net/eth0/queues`)).toBe(
      '--template 0 --nic 19\n1\nrx-0\nrx-1\ntx-0\ntx-1',
    );
    expect(await reaches('wide', '172.31.0.1')).toBe('yes');
  });

  test('has queues for CPUs that are switched off, and works without them', async () => {
    await out('run', '-d', '--name', 'narrow', '--cpus', '1', '--max-cpus', '2', ...SLEEP);
    expect(await inside('narrow', `nproc; ls /sys/class/net/eth0/queues`)).toBe('1\nrx-0\nrx-1\ntx-0\ntx-1');
    expect(await reaches('narrow', '172.31.0.1')).toBe('yes');
    await out('update', '--cpus', '2', 'narrow');
    expect(await inside('narrow', 'nproc')).toBe('2');
    expect(await reaches('narrow', '172.31.0.1')).toBe('yes');
  });

  test('comes along with a checkpoint and with a clone', async () => {
    await out('run', '-d', '--name', 'origin', ...SLEEP);
    await out('checkpoint', 'create', 'origin', 'saved');
    await out('start', '--checkpoint', 'saved', 'origin');
    expect(await reaches('origin', '172.31.0.1')).toBe('yes');
    await out('clone', 'origin', 'second');
    expect(await reaches('second', (await address('origin')).split(' ')[0]!)).toBe('yes');
    expect(await inside('second', 'cat /sys/class/net/eth0/address')).toBe(
      (await address('second')).split(' ')[1],
    );
  });

  test('is not made for networks that a container of its own cannot have', async () => {
    for (const [network, code, what] of [
      ['host', 1, 'cannot have the network of the host'],
      ['container:web', 125, 'is another machine'],
    ] as const) {
      const { exitCode, stderr } = await host.tryHrun(['template', 'create', '--network', network]);
      expect({ exitCode, stderr }).toMatchObject({ exitCode: code, stderr: expect.stringContaining(what) });
    }
  });

  describe('has a head start', () => {
    const trace = join(store.dir, 'trace.json');
    const stages = () =>
      (JSON.parse(readFileSync(trace, 'utf8')) as { traceEvents: { name: string }[] }).traceEvents.map(
        ({ name }) => name,
      );
    const begun = async (...args: string[]) => {
      const { stdout } = await host.shell(`HRUN_TRACE=${trace} exec ${HRUN} ${args.join(' ')}`);
      const early = stages().indexOf('monitor started') < stages().indexOf('command begins');
      return { stdout, early };
    };

    test('of its own, and ports of the host lead to it', async () => {
      const [machine] = prepared();
      const { early } = await begun(
        'run',
        '-d',
        '--name',
        'served',
        '-p',
        '127.0.0.1:8080:80',
        'busybox',
        'nc',
        '-ll',
        '-p',
        '80',
        '-e',
        'echo',
        'hi',
      );
      expect(early).toBe(true);
      expect(machine).toContain(await out('inspect', '-f', '{{.Id}}', 'served'));
      await host.until(
        async () => (await host.shell('busybox nc -w 5 127.0.0.1 8080 </dev/null')).stdout === 'hi\n',
      );
    });

    test('that a container without an interface does not take', async () => {
      const machines = prepared();
      const { early, stdout } = await begun(
        'run',
        '--rm',
        '--network',
        'none',
        'busybox',
        'ls',
        '/sys/class/net',
      );
      expect({ early, stdout }).toEqual({ early: true, stdout: 'lo\n' });
      expect(prepared()).toEqual(machines);
    });

    test('that is not missed when it fails before its container is made: another has the interface', async () => {
      const letGo = await store.holdUpMakers();
      const result = host.out('run', '--rm', 'busybox', 'ping', '-c', '1', '172.31.0.1');
      const keeper = await store.keeperWithMachine();
      const qemu = childOf(childOf(keeper));
      process.kill(childOf(keeper), 'SIGKILL');
      await host.until(async () => !isAlive(qemu));
      letGo();
      expect(await result).toContain(' 0% packet loss');
    });

    test('that is swept with the other kind of which the template has gone', async () => {
      const stale = join(store.dir, 'head-start', `${'a'.repeat(64)}.${'b'.repeat(64)}`);
      mkdirSync(stale, { mode: 0o700 });
      await begun('run', '--rm', 'busybox', 'true');
      expect(existsSync(stale)).toBe(false);
    });

    test('that ends with a command that is killed', async () => {
      const letGo = await store.holdUpMakers();
      try {
        const result = host.tryHrun(['run', '--rm', 'busybox', 'true']);
        await store.keeperWithMachine();
        expect(await taps()).toHaveLength(1);
        result.kill('SIGKILL');
        await result;
        await host.until(async () => (await taps()).length === 0);
      } finally {
        letGo();
      }
    });
  });
});
