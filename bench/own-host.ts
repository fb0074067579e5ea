// SPDX-License-Identifier: Apache-2.0
// A network namespace of a bench's own: hrun there has nothing to do with the network of the machine.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PROJECT } from './harness.ts';

const HRUN = join(PROJECT, 'bin/hrun');

export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

export class OwnHost {
  readonly #host = spawn('unshare', ['-n', 'sh', '-c', 'ip link set lo up; echo up; exec sleep 100000'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
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
    const { code, stderr } = await this.hrun(...args);
    if (code !== 0) throw new Error(`hrun ${args.join(' ')}: ${stderr}`);
  }

  async run(...command: string[]): Promise<Ended> {
    const words = [`--net=/proc/${this.#host.pid}/ns/net`, ...command];
    const options = { env: this.#env, timeout: this.#timeoutMs };
    try {
      return { code: 0, ...(await promisify(execFile)('nsenter', words, options)) };
    } catch (error) {
      const { code, stdout = '', stderr = '' } = error as Partial<Ended>;
      return { code: code ?? -1, stdout, stderr: stderr || String(error) };
    }
  }

  close(): void {
    const child: ChildProcess = this.#host;
    child.stdout?.destroy();
    child.kill('SIGKILL');
  }
}
