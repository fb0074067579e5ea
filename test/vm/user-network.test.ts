// SPDX-License-Identifier: Apache-2.0
// Networks without root: hrun as an ordinary user, on network namespaces of the test's own.
import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { execaSync } from 'execa';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { findPasst } from '../../src/network/index.ts';
import { eventually, FIXTURES, HRUN, isAlive, PROJECT, TestStore } from './hrun.ts';
import { hostNetworkObstacle, OwnNetwork, type TestServer } from './own-network.ts';

const cannot = hostNetworkObstacle() ?? (findPasst() ? undefined : 'needs passt');
const USER = 65534;
const WORD = 'hello';
const SERVE = ['busybox', 'sh', '-c', `nc -ll -p 80 -e echo ${WORD}`];

/** What an ordinary user has to read, where only root may look: it is bound over an empty directory of root's. */
const HIDDEN = ['.', 'build/kernel', 'build/initrd', 'build/node']
  .map((path) => realpathSync(join(PROJECT, path)))
  .filter((path) => path.startsWith('/root/'))
  .map((path) => path.replace(/\/bin\/node$/, ''));
const SHOW = `
  set -e; keep=$(mktemp -d); n=0
  for path in $HIDDEN; do n=$((n + 1)); mkdir $keep/$n; mount --bind $path $keep/$n; done
  if [ $n -gt 0 ]; then mount -t tmpfs -o mode=755 none /root; fi
  n=0; for path in $HIDDEN; do n=$((n + 1)); mkdir -p $path; mount --bind $keep/$n $path; done
  exec setpriv --reuid=${USER} --regid=${USER} --clear-groups "$@"`;

describe.skipIf(cannot)(`networks without root${cannot ? ` (this host cannot: ${cannot})` : ''}`, () => {
  const store = new TestStore({ HRUN_NETWORK: '', HOME: '/nowhere' });
  let host: OwnNetwork;
  let outside: OwnNetwork;
  let server: TestServer;

  const tryHrun = (...args: string[]) =>
    host.command([
      'unshare',
      '-m',
      'env',
      `HIDDEN=${HIDDEN.join(' ')}`,
      'sh',
      '-c',
      SHOW,
      'sh',
      HRUN,
      ...args,
    ]);
  async function out(...args: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await tryHrun(...args);
    if (exitCode !== 0) throw new Error(`hrun ${args.join(' ')}: ${stderr}${stdout}`);
    return stdout;
  }
  const says = async (...args: string[]) => (await tryHrun(...args)).stderr;
  const asks = async (port: string) =>
    (await host.shell(`timeout 5 busybox nc 127.0.0.1 ${port} </dev/null`)).stdout;
  /** Processes of this user that are passt. */
  const passts = () =>
    execaSync('pgrep', ['-x', '-u', String(USER), 'passt.*'], { reject: false })
      .stdout.split('\n')
      .filter(Boolean);
  let before: string[];

  beforeAll(async () => {
    host = new OwnNetwork(store);
    outside = await host.neighbour();
    await host.shell('ip route add default via 192.0.2.2');
    server = await outside.serve('192.0.2.2', 100_000);
    await store.load(FIXTURES);
    execaSync('chown', ['-R', String(USER), store.dir]);
    before = passts();
  });
  afterEach(async () => {
    for (const id of store.containers()) await tryHrun('rm', '-f', id);
    await eventually(() => passts().every((pid) => before.includes(pid)));
  });
  afterAll(() => {
    outside.close();
    host.close();
    store.remove();
  });

  test('lead out by passt, and in by published ports, which are shown', async () => {
    expect(await out('info')).toContain('Network: passt');
    await out('run', '-d', '--name', 'web', '-p', '127.0.0.1::80', ...SERVE);
    expect(
      await out('inspect', '-f', '{{.HostConfig.NetworkMode}} {{.NetworkSettings.IPAddress}}', 'web'),
    ).toBe('passt 10.0.2.15\n');
    const shown = await out('port', 'web');
    expect(shown).toMatch(/^80\/tcp -> 127\.0\.0\.1:\d+\n$/);
    const port = shown.trim().split(':')[1]!;
    expect(await out('ps', '--format', '{{.Ports}}')).toBe(`127.0.0.1:${port}->80/tcp\n`);
    await host.until(async () => (await asks(port)) === `${WORD}\n`);
    const script = `wget -q -O - http://192.0.2.2:${server.port}/ | md5sum`;
    expect(await out('exec', 'web', 'sh', '-c', script)).toBe(`${server.md5}  -\n`);
    expect(await out('exec', 'web', 'cat', '/etc/resolv.conf')).toContain('nameserver 10.0.2.3\n');
    expect(await says('run', '--rm', '-p', `127.0.0.1:${port}:80`, 'busybox', 'true')).toContain(
      `Bind for 127.0.0.1:${port} failed: port is already allocated`,
    );
    await out('restart', '-t', '0', 'web');
    const again = (await out('port', 'web')).trim().split(':')[1]!;
    await host.until(async () => (await asks(again)) === `${WORD}\n`);
  });

  test('lead in by published ports of UDP from other hosts: datagrams of many senders, of any size that fits', async () => {
    const echo = `import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 53))
while True:
    data, sender = s.recvfrom(65536)
    s.sendto(data, sender)`;
    await out('run', '-d', '--name', 'echo', '-p', '192.0.2.1::53/udp', 'debian:demo', 'python3', '-c', echo);
    const shown = await out('port', 'echo');
    expect(shown).toMatch(/^53\/udp -> 192\.0\.2\.1:\d+\n$/);
    const port = Number(shown.trim().split(':')[1]);
    // Until the server is there, and because UDP promises nothing, each is sent until it comes back.
    const ask = `
      const dgram = require('node:dgram');
      const ask = (size) => new Promise((resolve) => {
        const socket = dgram.createSocket('udp4');
        const data = Buffer.alloc(size, size & 255);
        const send = () => socket.send(data, ${port}, '192.0.2.1');
        const timer = setInterval(send, 200);
        socket.on('message', (answer) => { clearInterval(timer); socket.close(); resolve(answer.equals(data)); });
        send();
      });
      Promise.all([1, 2, 3, 512, 1400, 1472, 4000, 20000].map(ask)).then((all) => console.log(JSON.stringify(all)));`;
    const { stdout } = await outside.command(['timeout', '95', process.execPath, '-e', ask]);
    expect(JSON.parse(stdout || '"nothing came back"')).toEqual(Array(8).fill(true));
  });

  test('pass on the end of what a client of a published port sends, and the answer after it', async () => {
    const count = `import socket
s = socket.create_server(("", 80))
while True:
    connection, _ = s.accept()
    received = 0
    while data := connection.recv(65536): received += len(data)
    connection.sendall(str(received).encode())
    connection.close()`;
    await out('run', '-d', '--name', 'sink', '-p', '127.0.0.1::80', 'debian:demo', 'python3', '-c', count);
    const port = (await out('port', 'sink')).trim().split(':')[1]!;
    const send = `
      const socket = require('node:net').connect({ port: ${port}, host: '127.0.0.1', allowHalfOpen: true });
      socket.on('error', () => process.exit(1));
      socket.on('data', (data) => process.stdout.write(data));
      socket.end(Buffer.alloc(300000));`;
    const ask = async () =>
      (await host.command(['timeout', '20', process.execPath, '-e', send])).stdout === '300000';
    await host.until(ask);
  });

  test('do not lead to services on the loopback of the host', async () => {
    const own = await host.serve('127.0.0.1', 1);
    const asked = [`192.0.2.2:${server.port}`, `10.0.2.2:${own.port}`, `127.0.0.1:${own.port}`];
    const get = (from: string) =>
      `timeout 30 wget -q -O - http://${from}/ >/dev/null 2>&1 && echo yes || echo no`;
    const script = asked.map(get).join('; ');
    expect(await out('run', '--rm', 'busybox', 'sh', '-c', script)).toBe('yes\nno\nno\n');
  });

  test('end with their container, whatever ends it', async () => {
    await out('run', '-d', '--name', 'web', '-p', '127.0.0.1::80', ...SERVE);
    const port = (await out('port', 'web')).trim().split(':')[1]!;
    const mine = passts().filter((pid) => !before.includes(pid));
    expect(mine).toHaveLength(1);
    process.kill(store.state(store.containers()[0]!).monitorPid, 'SIGKILL');
    await eventually(() => !isAlive(Number(mine[0])));
    await out('run', '--rm', '-p', `127.0.0.1:${port}:80`, 'busybox', 'true');
    expect(await out('port', 'web')).toBe('');
  });

  test('can be left out, and what only root has is refused in a line', async () => {
    const addresses = ['busybox', 'ip', '-o', '-4', 'addr'];
    expect(await out('run', '--rm', '--network', 'none', ...addresses)).not.toContain('eth0');
    const refused: [string[], string][] = [
      [['run', '--network', 'db', 'busybox'], 'network db cannot be used: networks need root'],
      [['run', '--ip', '10.0.2.9', 'busybox'], '--ip needs a network of the host, which passt is not'],
      [['run', '--egress', 'none', 'busybox'], '--egress needs a network of the host'],
      [['run', '--network', 'none', '--network', 'passt', 'busybox'], 'cannot attach both'],
      [['network', 'create', 'db'], 'there can be no networks here: networks need root'],
    ];
    for (const [args, line] of refused) expect(await says(...args)).toContain(line);
  });
});
