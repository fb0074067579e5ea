// SPDX-License-Identifier: Apache-2.0
// The CLI as a user runs it, on a store of the test's own.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa, type Options, type ResultPromise } from 'execa';

export const PROJECT = join(import.meta.dirname, '../..');
/** $HRUN_TEST_COMMAND: test an hrun that is installed elsewhere. */
export const HRUN = process.env.HRUN_TEST_COMMAND ?? join(PROJECT, 'bin/hrun');

/** Real images: busybox, debian:bookworm and debian:demo (scripts/fixtures/debian-image.sh). */
export const FIXTURES = join(PROJECT, 'build/fixtures/oci');

/** Milliseconds that a command has, or something that is waited for: less than a test has (vitest.config.ts). */
export const PATIENCE_MS = process.env.CI === 'true' ? 280_000 : 100_000;

/** $HRUN_TEST_TEMPLATES=auto: run the same tests on machines that are copied where they can be. */
const TEMPLATES = process.env.HRUN_TEST_TEMPLATES ?? 'off';

/** A store in a temporary directory, with the commands that work on it. */
export class TestStore {
  readonly dir = mkdtempSync(join(tmpdir(), 'hrun-vm-'));
  readonly #environment: Record<string, string>;

  /** `environment` comes on top of what is set for every test. */
  constructor(environment: Record<string, string> = {}) {
    this.#environment = environment;
  }

  /** Starts `hrun ARGS`; a failing exit code is a result, not an error. */
  start(args: string[], options: Options = {}) {
    const defaults = {
      stripFinalNewline: false,
      stdin: 'ignore',
      timeout: PATIENCE_MS,
      env: this.env,
    } as const;
    return execa(HRUN, args, { ...defaults, ...options, reject: false }) as ResultPromise<{ reject: false }>;
  }

  /** Runs a shell script of the host in which `$HRUN` is the command. */
  shell(script: string, options: Options = {}) {
    const defaults = { stripFinalNewline: false, timeout: PATIENCE_MS, env: { ...this.env, HRUN } };
    return execa('sh', ['-c', script], { ...defaults, ...options, reject: false }) as ResultPromise<{
      reject: false;
    }>;
  }

  get env(): Record<string, string> {
    // Named: what `auto` says on its first choice would be in the way of exact comparisons.
    const quiet = { HRUN_ENGINE: 'qemu', HRUN_NETWORK: 'none', HRUN_TEMPLATES: TEMPLATES };
    return { HRUN_ROOT: this.dir, ...quiet, ...this.#environment };
  }

  /** Runs `hrun ARGS` and returns what it said and its exit code. */
  async hrun(args: string[], input?: string) {
    const { exitCode, stdout, stderr } = await this.start(
      args,
      input === undefined ? {} : { stdin: 'pipe', input },
    );
    return { exitCode, stdout, stderr };
  }

  /** Trimmed standard output of `hrun ARGS`; throws unless it succeeds without a word on standard error. */
  async ok(...args: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await this.hrun(args);
    if (exitCode !== 0 || stderr !== '') throw new Error(JSON.stringify({ args, exitCode, stdout, stderr }));
    return stdout.trim();
  }

  /** Ends and removes all containers. */
  async clear(): Promise<void> {
    const left = this.containers();
    if (left.length > 0) await this.hrun(['rm', '-f', ...left]);
  }

  /** Standard output of a shell script in a new container of busybox; throws unless all went well. */
  async script(options: string[], script: string, image = 'busybox'): Promise<string> {
    const result = await this.hrun(['run', '--rm', ...options, image, 'sh', '-c', script]);
    if (result.exitCode !== 0 || result.stderr !== '') throw new Error(JSON.stringify(result));
    return result.stdout;
  }

  /** A container that fails is started again once; waits for `output` of both runs of the script. */
  async runsTwice(script: string, output: string): Promise<void> {
    const policy = ['--name', 'again', '--restart', 'on-failure:1'];
    await this.hrun(['run', ...policy, 'busybox', 'sh', '-c', `${script}; exit 1`]);
    await eventually(async () => (await this.hrun(['logs', 'again'])).stdout === output.repeat(2));
    await this.ok('rm', '-f', 'again');
  }

  /** Has every command that makes a container wait until the result is called. */
  async holdUpMakers(): Promise<() => void> {
    const lock = join(this.dir, 'containers/lock');
    const holder = spawn('flock', ['-x', lock, 'sh', '-c', 'echo held; exec sleep 600'], {
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    });
    await new Promise((resolve) => holder.stdout.once('data', resolve));
    return () => process.kill(-holder.pid!, 'SIGKILL');
  }

  /** The process of one that has a monitor, which has QEMU. */
  async keeperWithMachine(): Promise<number> {
    return await eventually(() =>
      this.processIds().find((pid) => childOf(pid) > 0 && childOf(childOf(pid)) > 0),
    );
  }

  async load(path: string): Promise<void> {
    const { exitCode, stderr } = await this.hrun(['load', '-i', path]);
    if (exitCode !== 0) throw new Error(stderr);
  }

  /** Ids of the containers in the store. */
  containers(): string[] {
    const dir = join(this.dir, 'containers');
    return existsSync(dir) ? readdirSync(dir).filter((name) => name.length === 64) : [];
  }

  /** Addresses of a network that are taken. */
  leases(network: string): string[] {
    const dir = join(this.dir, 'networks', network, 'leases');
    return existsSync(dir) ? readdirSync(dir).sort() : []; // it comes with the first
  }

  names(): string[] {
    return readdirSync(join(this.dir, 'containers/names'));
  }

  state(id: string): {
    status: string;
    exitCode: number;
    signal: number;
    monitorPid: number;
    vmmPid: number;
  } {
    return JSON.parse(readFileSync(join(this.dir, 'containers', id, 'state.json'), 'utf8'));
  }

  /** The only container there is, once it has reached `status`. */
  async reached(status: string): Promise<{ id: string } & ReturnType<TestStore['state']>> {
    return await eventually(() => {
      const id = this.containers()[0];
      if (id === undefined || !existsSync(join(this.dir, 'containers', id, 'state.json'))) return undefined;
      const state = this.state(id);
      return state.status === status ? { id, ...state } : undefined;
    });
  }

  /** Everything that names this store on a command line: monitors and machines that were left behind. */
  processes(): string[] {
    return this.processIds().map((pid) => commandLine(String(pid)));
  }

  /** The same, by number. */
  processIds(): number[] {
    const isOurs = (line: string) => line.includes(this.dir) && !line.includes('vitest');
    return readdirSync('/proc')
      .filter((pid) => /^\d+$/.test(pid) && isOurs(commandLine(pid)))
      .map(Number);
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}

type Maybe<T> = T | undefined | false;

/** Waits until `look` finds something. */
export async function eventually<T>(look: () => Maybe<T> | Promise<Maybe<T>>): Promise<T> {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; ) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`never came true: ${look}`);
}

/** Unmounts a file system once nobody has a file of it open: keepers end a moment after their containers. */
export async function unmount(path: string): Promise<void> {
  await eventually(async () => (await execa('umount', [path], { reject: false })).exitCode === 0);
}

export function isAlive(pid: number): boolean {
  return commandLine(String(pid)) !== '';
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

/** 0 when it has none. */
export function childOf(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ')[0]);
  } catch {
    return 0;
  }
}
