// SPDX-License-Identifier: Apache-2.0
// A network namespace of a bench's own: hrun there has nothing to do with the network of the machine.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';
import { HRUN } from './harness.ts';

export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

export class OwnHost {
  readonly #host = spawn('unshare', ['-n', 'sh', '-c', 'ip link set lo up; echo up; exec sleep 100000'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  readonly #started: ChildProcess[] = [];
  readonly #env: NodeJS.ProcessEnv;
  readonly #timeoutMs: number;

  /** `env` is what hrun has besides HRUN_ROOT and the engine; a command may take so long. */
  constructor(root: string, timeoutMs: number, env: NodeJS.ProcessEnv = {}) {
    this.#env = { ...process.env, HRUN_ROOT: root, HRUN_ENGINE: 'qemu', HRUN_NETWORK: '', ...env };
    this.#timeoutMs = timeoutMs;
  }

  /** Resolves once it is there. */
  async ready(): Promise<void> {
    await new Promise((resolve) => this.#host.stdout.once('data', resolve));
  }

  hrun(...args: string[]): Promise<Ended> {
    return this.run(HRUN, ...args);
  }

  /** hrun that has to end with 0. */
  async must(...args: string[]): Promise<void> {
    await this.mustRun(HRUN, ...args);
  }

  /** Standard output of a command that has to end with 0. */
  async mustRun(...command: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(...command);
    if (code !== 0) throw new Error(`${command.join(' ')}: ${stderr}`);
    return stdout;
  }

  /** A command that runs until close(). */
  start(...command: string[]): void {
    this.#started.push(spawn('nsenter', this.#inside(command), { stdio: ['ignore', 'ignore', 'inherit'] }));
  }

  async run(...command: string[]): Promise<Ended> {
    const words = this.#inside(command);
    const options = { env: this.#env, timeout: this.#timeoutMs };
    try {
      return { code: 0, ...(await promisify(execFile)('nsenter', words, options)) };
    } catch (error) {
      const { code, stdout = '', stderr = '' } = error as Partial<Ended>;
      return { code: code ?? -1, stdout, stderr: stderr || String(error) };
    }
  }

  close(): void {
    this.#host.stdout.destroy();
    for (const child of [...this.#started, this.#host]) child.kill('SIGKILL');
  }

  #inside(command: readonly string[]): string[] {
    return [`--net=/proc/${this.#host.pid}/ns/net`, ...command];
  }
}
