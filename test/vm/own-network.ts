// SPDX-License-Identifier: Apache-2.0
// A network namespace that stands for a whole host, and the commands that run on it.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { execa } from 'execa';
import { HRUN, PATIENCE_MS, type TestStore } from './hrun.ts';

/** Why there can be none here; undefined if there can. */
export function hostNetworkObstacle(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root';
  for (const path of ['/dev/net/tun', '/usr/sbin/nft', '/usr/bin/nsenter', '/bin/busybox']) {
    if (!existsSync(path)) return `needs ${path}`;
  }
  return spawnSync('unshare', ['-n', 'true']).status === 0 ? undefined : 'needs network namespaces';
}

/** A server of the test: HTTP, and a port that says how many bytes it was sent. */
export interface TestServer {
  port: number;
  md5: string;
  sinkPort: number;
}

export class OwnNetwork {
  readonly #store: TestStore;
  readonly #holder: ChildProcess;
  readonly #servers: ChildProcess[] = [];

  constructor(store: TestStore) {
    this.#store = store;
    this.#holder = spawn('unshare', ['-n', 'sh', '-c', 'ip link set lo up; exec sleep 10000'], {
      stdio: 'ignore',
    });
    while (readFileSync(`/proc/${this.#holder.pid}/comm`, 'utf8').trim() !== 'sleep')
      spawnSync('sleep', ['0.01']);
  }

  /** Runs `hrun ARGS` on it. */
  async hrun(args: string[]) {
    const result = await this.tryHrun(args);
    if (result.exitCode !== 0) throw new Error(`hrun ${args.join(' ')}: ${result.stderr}${result.stdout}`);
    return result;
  }

  /** Its standard output. */
  async out(...args: string[]): Promise<string> {
    return (await this.hrun(args)).stdout;
  }

  /** What a command that may fail says on standard error. */
  async says(...args: string[]): Promise<string> {
    return (await this.tryHrun(args)).stderr;
  }

  /** The same as hrun(); a failing exit code is a result. */
  tryHrun(args: string[]) {
    return this.#run([HRUN, ...args]);
  }

  /** Runs a shell script on it. */
  shell(script: string) {
    return this.#run(['sh', '-c', script]);
  }

  /** Runs a command on it. */
  command(words: string[]) {
    return this.#run(words);
  }

  /** Serves `bytes` random bytes on an address of it. */
  async serve(address: string, bytes: number): Promise<TestServer> {
    const program = `
      const { randomBytes, createHash } = require('node:crypto');
      const body = randomBytes(${bytes});
      const http = require('node:http').createServer((_, answer) => answer.end(body));
      const sink = require('node:net').createServer({ allowHalfOpen: true }, (socket) => {
        let count = 0;
        socket.on('data', (chunk) => (count += chunk.length)).on('end', () => socket.end(count + '\\n'));
      });
      http.listen(0, '${address}', () => sink.listen(0, '${address}', () => console.log(JSON.stringify({
        port: http.address().port, sinkPort: sink.address().port, md5: createHash('md5').update(body).digest('hex'),
      }))));`;
    const { said } = await this.#start(program);
    return JSON.parse(said);
  }

  /** Runs a Node.js program on it, and waits until it has said something. */
  async program(text: string): Promise<ChildProcess> {
    return (await this.#start(text)).child;
  }

  async #start(program: string): Promise<{ child: ChildProcess; said: string }> {
    const child = spawn('nsenter', [...this.#enter(), process.execPath, '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#servers.push(child);
    return { child, said: String(await new Promise((resolve) => child.stdout.once('data', resolve))) };
  }

  /** Waits until something holds. */
  async until(holds: () => Promise<boolean>): Promise<void> {
    for (let attempt = 0; attempt < 3000; attempt++) {
      if (await holds()) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`never came true: ${holds}`);
  }

  /** Another host, joined to this one by a cable: this one is 192.0.2.1, the other 192.0.2.2. */
  async neighbour(): Promise<OwnNetwork> {
    const other = new OwnNetwork(this.#store);
    const cable = `ip link add out0 type veth peer name out0 netns /proc/${other.#holder.pid}/ns/net`;
    // The end of a cable to one that is gone goes a while later.
    await this.until(async () => (await this.shell('ip link show out0')).exitCode !== 0);
    await this.shell(`${cable}; ip addr add 192.0.2.1/24 dev out0; ip link set out0 up`);
    await other.shell('ip addr add 192.0.2.2/24 dev out0; ip link set out0 up');
    return other;
  }

  /** Once nothing runs on it, it is gone. */
  close(): void {
    for (const child of [...this.#servers, this.#holder]) {
      child.stdout?.destroy();
      child.kill('SIGKILL');
      child.unref();
    }
  }

  #enter(): string[] {
    return [`--net=/proc/${this.#holder.pid}/ns/net`];
  }

  #run(command: string[]) {
    return execa('nsenter', [...this.#enter(), ...command], {
      env: this.#store.env,
      reject: false,
      stdin: 'ignore',
      stripFinalNewline: false,
      timeout: PATIENCE_MS,
    });
  }
}
