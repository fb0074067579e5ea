// SPDX-License-Identifier: Apache-2.0
// Networks with IPv6, on network namespaces of the test's own: a host, and another one that stands for everything out there.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { FIXTURES, TestStore } from './hrun.ts';
import { hostNetworkObstacle, OwnNetwork, type TestServer } from './own-network.ts';

const cannot =
  hostNetworkObstacle() ?? (existsSync('/proc/sys/net/ipv6') ? undefined : 'its kernel has no IPv6');
const GATEWAY = 'fd00:1::1';
const SERVER = ['busybox', 'sh', '-c', 'exec nc -ll -p 80 -e echo hi'];
const SLEEP = ['busybox', 'sleep', '1000'];
const WORD = 'hello';
const DENIED = /unreachable|No route|Permission denied/;
/** answers every question for an AAAA record of good.example with 2001:db8::3, of others with ::4 at the end, and has no other records */
const DNS = `
  const server = require('node:dgram').createSocket('udp4');
  server.on('message', (query, from) => {
    const end = query.indexOf(0, 12) + 5;
    const asksAaaa = query[end - 3] === 28;
    const address = Buffer.from('20010db8000000000000000000000000', 'hex');
    address[15] = query.includes('good') ? 3 : 4;
    const answer = Buffer.concat([Buffer.from([0xc0, 12, 0, 28, 0, 1, 0, 0, 0, 9, 0, 16]), address]);
    const head = Buffer.from([0x81, 0x80, 0, 1, 0, asksAaaa ? 1 : 0, 0, 0, 0, 0]);
    server.send(Buffer.concat([query.subarray(0, 2), head, query.subarray(12, end), ...(asksAaaa ? [answer] : [])]), from.port, from.address);
  }).bind(53, '192.0.2.2', () => console.log('ready'));`;
const UDP_SERVER = `import socket
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); s.bind(("::", 53)); print("up", flush=True)
while True:
  data, peer = s.recvfrom(99); s.sendto(data + b" from " + peer[0].encode(), peer)`;
/** says for the address of a neighbour, and for the gateway's, that they are here */
const FORGER = `import socket, struct, sys
mac = open("/sys/class/net/eth0/address").read().strip().replace(":", "")
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); s.bind(("eth0", 0))
def checksum(data):
  total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
  while total >> 16: total = (total & 0xffff) + (total >> 16)
  return ~total & 0xffff
def tell(source, target):
  to = socket.inet_pton(socket.AF_INET6, "ff02::1"); by = socket.inet_pton(socket.AF_INET6, source)
  body = lambda sum: struct.pack("!BBHI", 136, 0, sum, 0x20000000) + socket.inet_pton(socket.AF_INET6, target) + b"\\x02\\x01" + bytes.fromhex(mac)
  sum = checksum(by + to + struct.pack("!II", len(body(0)), 58) + body(0))
  ip = struct.pack("!IHBB", 0x60000000, len(body(0)), 58, 255) + by + to
  s.send(bytes.fromhex("333300000001" + mac + "86dd") + ip + body(sum))
for target in sys.argv[1:]:
  for source in (target, "fd00:1::66"): tell(source, target)
print("told")`;

describe.skipIf(cannot)(`networks with IPv6${cannot ? ` (this host cannot: ${cannot})` : ''}`, () => {
  const store = new TestStore();
  let host: OwnNetwork;
  let outside: OwnNetwork;
  let server: TestServer;

  const out = (...args: string[]) => host.out(...args);
  const start = (name: string, options: string[], command = SLEEP) =>
    out('run', '-d', '--name', name, '--network', 'six', ...options, ...command);
  const inside = async (name: string, script: string) =>
    (await host.tryHrun(['exec', name, 'sh', '-c', script])).stdout.trim();
  const pings = (name: string, target: string, seconds = 30) =>
    inside(name, `ping -6 -c 1 -W ${seconds} ${target} >/dev/null 2>&1 && echo yes || echo no`);
  const ask = async (address: string, port: number | string, from = host) =>
    (await from.shell(`busybox nc -w 5 ${address} ${port} </dev/null`)).stdout.trim();
  const answers = (address: string, port: number | string, from = host) =>
    host.until(async () => (await ask(address, port, from)) === 'hi');
  /** "reached" when a server counts what a container sends it, else why not */
  const sends = async (name: string, target: string, port = server.sinkPort, seconds = 30) => {
    const said = await inside(name, `echo ${WORD} | nc -w ${seconds} ${target} ${port} 2>&1`);
    return said === String(WORD.length + 1) ? 'reached' : said;
  };
  const leases = () => readdirSync(join(store.dir, 'networks/six/leases')).sort();

  beforeAll(async () => {
    host = new OwnNetwork(store);
    await store.load(FIXTURES);
    outside = await host.neighbour();
    await host.shell('ip -6 addr add 2001:db8::1/64 dev out0 nodad');
    for (const last of [2, 3, 4]) await outside.shell(`ip -6 addr add 2001:db8::${last}/64 dev out0 nodad`);
    server = await outside.serve('::', 1000);
    await outside.program(DNS);
    await out('network', 'create', '--ipv6', '--subnet', '10.6.0.0/24', '--subnet', 'fd00:1::/64', 'six');
    await out('network', 'create', '--subnet', '10.4.0.0/24', 'four');
  });
  afterEach(async () => {
    for (const id of store.containers()) await out('rm', '-f', id);
    expect(leases()).toEqual([]);
    expect((await host.shell('nft list ruleset')).stdout).not.toMatch(/denied_|fd00:1::2 \. /);
  });
  afterAll(async () => {
    for (const name of ['six', 'four']) await out('network', 'rm', name);
    outside.close();
    host.close();
    store.remove();
  });

  test('give containers an address, a gateway and names in it, beside IPv4', async () => {
    await start('web', ['--hostname', 'web']);
    expect(
      await inside(
        'web',
        `ip -o -6 addr show scope global | cut -d' ' -f7; ip -6 route show default | cut -d' ' -f1-5
         tail -2 /etc/hosts; cat /proc/sys/net/ipv6/conf/eth0/accept_ra`,
      ),
    ).toBe(`fd00:1::2/64\ndefault via ${GATEWAY} dev eth0\n10.6.0.2\tweb\nfd00:1::2\tweb\n0`);
    const template =
      '{{with .NetworkSettings.Networks.six}}{{.GlobalIPv6Address}}/{{.GlobalIPv6PrefixLen}} {{.IPv6Gateway}}{{end}}';
    expect(await out('inspect', '-f', template, 'web')).toBe(`fd00:1::2/64 ${GATEWAY}\n`);
    const [shown] = JSON.parse(await out('network', 'inspect', 'six'));
    expect(shown.EnableIPv6).toBe(true);
    expect(shown.IPAM.Config).toEqual([
      { Subnet: '10.6.0.0/24', Gateway: '10.6.0.1' },
      { Subnet: 'fd00:1::/64', Gateway: GATEWAY },
    ]);
    expect(Object.values(shown.Containers)).toMatchObject([{ IPv6Address: 'fd00:1::2/64' }]);
    expect(await out('network', 'ls', '--format', '{{.Name}} {{.IPv6}}')).toContain('six true\n');
    await start('box', ['--ip6', 'fd00:1::99']);
    expect(await inside('box', 'nslookup -type=aaaa web')).toContain('Address: fd00:1::2');
    expect(await inside('box', 'nslookup fd00:1::2')).toContain('name = web.six');
    expect([await pings('box', 'web'), await pings('box', GATEWAY)]).toEqual(['yes', 'yes']);
    expect(leases()).toEqual(['10.6.0.2', '10.6.0.3', 'fd00:1::2', 'fd00:1::99']);
    expect(await host.says('run', '--rm', '--network', 'six', '--ip6', 'fd00:1::2', ...SLEEP)).toContain(
      'the address fd00:1::2 is already in use',
    );
    expect(await host.says('run', '--rm', '--network', 'four', '--ip6', 'fd00:1::3', ...SLEEP)).toContain(
      'network four has no IPv6',
    );
  });

  test('have a local subnet of their own when none is given, and their containers come and go while they run', async () => {
    await out('network', 'create', '--ipv6', 'ula');
    const [{ IPAM }] = JSON.parse(await out('network', 'inspect', 'ula'));
    const { Subnet: subnet, Gateway: gateway } = IPAM.Config[1];
    expect(subnet).toMatch(/^fd[0-9a-f]{2}:[0-9a-f:]+::\/64$/);
    await out('run', '-d', '--name', 'box', '--network', 'four', ...SLEEP);
    expect(await inside('box', 'cat /proc/net/if_inet6 | grep eth')).toBe('');
    const wanted = subnet.replace('/64', '7777');
    await out('network', 'connect', '--ip6', wanted, 'ula', 'box');
    expect(await inside('box', 'ip -o -6 addr show dev eth1 scope global')).toContain(`${wanted}/64`);
    expect(await pings('box', gateway)).toBe('yes');
    await out('restart', '-t', '0', 'box');
    expect(await pings('box', gateway)).toBe('yes');
    await out('network', 'disconnect', 'ula', 'box');
    await start('both', ['--network', 'ula']);
    const route = await inside('both', 'ip -6 route get 2001:db8::9');
    expect(route).toContain(`via ${GATEWAY} dev eth0`);
    await out('rm', '-f', 'both');
    expect(readdirSync(join(store.dir, 'networks/ula/leases'))).toEqual([]);
    expect(await inside('box', `grep -c ${wanted} /etc/hosts`)).toBe('0');
    await out('network', 'rm', 'ula');
  });

  test('lead out by an address of the host, and nobody out there, nor in another network, leads in', async () => {
    await out('network', 'create', '--ipv6', '--subnet', '10.7.0.0/24', '--subnet', 'fd00:2::/64', 'other');
    await start('web', []);
    await out('run', '-d', '--name', 'apart', '--network', 'other', ...SLEEP);
    const own = await host.serve('::1', 10);
    expect(await sends('web', '2001:db8::2')).toBe('reached');
    await outside.shell('ip -6 route add fd00::/16 via 2001:db8::1');
    expect((await host.shell('busybox ping -6 -c 1 -W 30 fd00:1::2')).exitCode).toBe(0);
    expect((await outside.shell('busybox ping -6 -c 1 -W 30 fd00:1::1')).exitCode).toBe(0);
    expect((await outside.shell('busybox ping -6 -c 1 -W 1 fd00:1::2')).exitCode).not.toBe(0);
    expect(await pings('apart', 'fd00:1::2', 3)).toBe('no');
    for (const address of [GATEWAY, '::1', '2001:db8::1'])
      expect([address, await sends('web', address, own.sinkPort)]).not.toEqual([address, 'reached']);
    await outside.shell('ip -6 route del fd00::/16');
    await out('rm', '-f', 'apart');
    await out('network', 'rm', 'other');
  });

  test('let no packets through from other addresses, and no word about them', async () => {
    await start('victim', []);
    await start('box', ['--cap-add', 'NET_ADMIN', '--ip6', 'fd00:1::66'], ['debian:demo', 'sleep', '1000']);
    expect((await host.shell('busybox ping -6 -c 1 -W 30 fd00:1::2')).exitCode).toBe(0);
    expect((await host.tryHrun(['exec', 'box', 'python3', '-c', FORGER, 'fd00:1::2', GATEWAY])).stdout).toBe(
      'told\n',
    );
    const mac = (await inside('victim', 'cat /sys/class/net/eth0/address')).trim();
    expect((await host.shell('ip -6 neigh show fd00:1::2')).stdout).toContain(mac);
    const forge = `import socket
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); s.setsockopt(socket.IPPROTO_IPV6, 75, 1); s.bind(("fd00:1::77", 0))
s.sendto(b"x", ("2001:db8::2", 9)); s.sendto(b"x", ("${GATEWAY}", 9)); print("sent")`;
    const table =
      'nft add table inet spy; nft "add chain inet spy in { type filter hook prerouting priority -400; }"; nft add rule inet spy in ip6 saddr fd00:1::77 counter';
    await host.shell(table);
    expect((await host.tryHrun(['exec', 'box', 'python3', '-c', forge])).stdout).toBe('sent\n');
    expect((await host.shell('nft list table inet spy')).stdout).toContain('counter packets 0');
    await host.shell('nft delete table inet spy');
    expect(await sends('box', '2001:db8::2').catch(String)).toBeDefined();
    await out('run', '-d', '--name', 'four', '--network', 'four', '--cap-add', 'NET_ADMIN', ...SLEEP);
    const tries = `echo 0 > /proc/sys/net/ipv6/conf/eth0/disable_ipv6; ip -6 addr add fd00:1::88/64 dev eth0
      ip -6 route add default via fd00:1::1; sleep 2; ping -6 -c 1 -W 2 ff02::1%eth0 >/dev/null 2>&1 && echo reached || echo nobody`;
    expect(await inside('four', tries)).toBe('nobody');
  });

  test('keep a restricted container in, but for what it may reach: subnets, names, what it publishes', async () => {
    await start('friend', []);
    await start(
      'box',
      [
        '--dns',
        '192.0.2.2',
        '--egress',
        'allow=2001:db8::2',
        '--egress',
        'allow=good.example',
        '-p',
        '8080:80',
      ],
      SERVER,
    );
    const own = await host.serve('::', 10);
    expect(await sends('box', '2001:db8::2')).toBe('reached');
    expect(await sends('box', '2001:db8::3')).toMatch(DENIED);
    expect(await sends('box', 'good.example')).toBe('reached');
    expect(await sends('box', '2001:db8::3')).toBe('reached');
    expect(await sends('box', 'bad.example')).not.toBe('reached');
    expect(await sends('box', '2001:db8::4')).toMatch(DENIED);
    for (const address of [GATEWAY, '2001:db8::1'])
      expect([address, await sends('box', address, own.sinkPort)]).toEqual([
        address,
        expect.stringMatching(DENIED),
      ]);
    const local = (
      await host.shell(
        "ip -o -6 addr show to fe80::/10 | grep -v out0 | grep -oE 'fe80::[0-9a-f:]+' | head -1",
      )
    ).stdout.trim();
    expect(local).toMatch(/^fe80::/);
    expect(await sends('box', `${local}%eth0`, own.sinkPort, 10)).not.toBe('reached');
    expect(await pings('box', 'friend')).toBe('yes');
    await answers('2001:db8::1', 8080, outside);
    const denied = await out('stats', '--no-stream', '--format', '{{.EgressDenied}}', 'box');
    expect(Number(denied.split(' / ')[0])).toBeGreaterThan(0);
    await host.shell('nft flush ruleset');
    await start('next', []);
    expect(await sends('box', '2001:db8::4')).toMatch(DENIED);
    expect(await sends('box', '2001:db8::2')).toBe('reached');
  });

  test('publish ports on both families, or on one address of either, by TCP and UDP', async () => {
    await start(
      'web',
      ['-p', '8080:80', '-p', '[::1]:8081:80', '-p', '[2001:db8::1]:8082:80', '-p', '0.0.0.0:8083:80'],
      SERVER,
    );
    expect(await out('port', 'web')).toBe(
      '80/tcp -> 0.0.0.0:8080\n80/tcp -> 0.0.0.0:8083\n80/tcp -> [2001:db8::1]:8082\n' +
        '80/tcp -> [::]:8080\n80/tcp -> [::1]:8081\n',
    );
    expect(await out('ps', '--format', '{{.Ports}}')).toContain('[::]:8080->80/tcp');
    expect(await out('inspect', '-f', '{{json (index .NetworkSettings.Ports "80/tcp")}}', 'web')).toContain(
      '{"HostIp":"::","HostPort":"8080"}',
    );
    for (const address of ['::1', GATEWAY, '2001:db8::1', '127.0.0.1', '192.0.2.1'])
      await answers(address, 8080);
    await answers('::1', 8081);
    await answers('2001:db8::1', 8082);
    await answers('192.0.2.1', 8083);
    await answers('2001:db8::1', 8080, outside);
    await answers('2001:db8::1', 8082, outside);
    expect(await ask('::1', 8082)).toBe('');
    expect(await ask('2001:db8::1', 8083)).toBe('');
    expect(await ask('2001:db8::1', 8081, outside)).toBe('');
    await start('box', []);
    expect(
      await inside('box', `nc -w 30 ${GATEWAY} 8080 </dev/null; nc -w 30 2001:db8::1 8082 </dev/null`),
    ).toBe('hi\nhi');
    expect(await inside('web', `nc -w 30 ${GATEWAY} 8080 </dev/null`)).toBe('hi');
    expect(await host.says('run', '--rm', '--network', 'six', '-p', '[::]:8080:80', ...SLEEP)).toContain(
      'Bind for [::]:8080 failed: port is already allocated',
    );
    expect(await host.says('run', '--rm', '--network', 'four', '-p', '[::1]:8090:80', ...SLEEP)).toContain(
      'ports cannot be published on the IPv6 address ::1: network four has no IPv6',
    );
    await start('names', ['-p', '5353:53/udp'], ['debian:demo', 'python3', '-c', UDP_SERVER]);
    await host.until(async () => (await out('logs', 'names')) === 'up\n');
    const datagram = (address: string) =>
      `node -e 'const s = require("dgram").createSocket("udp6"); s.on("message", (m) => { console.log(String(m)); s.close(); });
       const send = () => s.send("hello", 5353, "${address}"); send(); setInterval(send, 1000).unref(); setTimeout(() => process.exit(1), 60000).unref()'`;
    expect((await outside.shell(datagram('2001:db8::1'))).stdout).toMatch(/^hello from 2001:db8::[234]\n$/);
    expect((await host.shell(datagram('::1'))).stdout).toBe(`hello from ${GATEWAY}\n`);
  });

  test('carry what the host says to ::1 whole, both ways', async () => {
    const mirror = `import socket
s = socket.socket(socket.AF_INET6); s.bind(("::", 80)); s.listen(); print("up", flush=True)
while True:
  c, _ = s.accept(); parts = []
  while part := c.recv(65536): parts.append(part)
  c.sendall(b"".join(parts)[::-1]); c.close()`;
    await start('web', ['-p', '[::1]:8080:80'], ['debian:demo', 'python3', '-c', mirror]);
    await host.until(async () => (await out('logs', 'web')) === 'up\n');
    const send = `node -e 'const body = require("crypto").randomBytes(3000000); const parts = [];
      const socket = require("net").connect({ port: 8080, host: "::1", allowHalfOpen: true });
      socket.on("data", (part) => parts.push(part)).on("end", () => console.log(Buffer.concat(parts).reverse().equals(body)));
      socket.on("error", (error) => console.log(String(error))).end(body)'`;
    for (let count = 0; count < 3; count++) expect((await host.shell(send)).stdout).toBe('true\n');
  });

  test('leave nothing behind when a keeper is killed, and come back after a flush', async () => {
    await start('web', ['-p', '8080:80', '--restart', 'always'], SERVER);
    await answers('::1', 8080);
    const id = (await out('inspect', '-f', '{{.Id}}', 'web')).trim();
    process.kill(store.state(id).vmmPid!, 'SIGKILL');
    await host.until(async () => (await out('inspect', '-f', '{{.RestartCount}}', 'web')) === '1\n');
    await answers('::1', 8080);
    await host.shell('nft flush ruleset; sysctl -qw net.ipv6.conf.all.forwarding=0');
    await start('box', []);
    await answers('::1', 8080);
    await answers('2001:db8::1', 8080, outside);
    expect(await sends('box', '2001:db8::2')).toBe('reached');
    process.kill(store.state(id).monitorPid, 'SIGKILL');
    await host.until(async () => (await host.shell("busybox netstat -ltn | grep ':8080 '")).stdout === '');
    await start('next', ['-p', '8080:80'], SERVER);
    await answers('::1', 8080);
    await answers('2001:db8::1', 8080, outside);
    await host.until(async () => readdirSync(join(store.dir, 'networks/.ports')).length === 1);
  });
});
