// SPDX-License-Identifier: Apache-2.0
// hrun-vmm without the CLI: a container directory made by hand, with busybox as its only layer.
import { randomBytes } from 'node:crypto';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execaSync } from 'execa';
import { settingsPath } from '../../src/base/settings.ts';
import { encodeConfigure } from '../../src/guest/configure.ts';
import { AttachFlags, type ExitStatus, Session, type SessionError, Stream } from '../../src/guest/index.ts';
import { encodeStart } from '../../src/guest/start.ts';
import { findAssets } from '../../src/vm/assets.ts';
import { connectMonitor, startMonitor } from '../../src/vm/monitor.ts';
import { type VmConfig, vmConfig } from '../../src/vm/vm-config.ts';

const APPLETS = ['sh', 'cat', 'echo', 'sleep', 'true', 'head', 'yes'];
const QEMU = '/usr/bin/qemu-system-x86_64';

/** A client of the monitor that keeps all that it is told. */
export class MonitorClient {
  output = '';
  readonly session: Session;
  readonly #socket: { destroy(): void };
  readonly started: Promise<void>;
  readonly ended: Promise<{ exit?: ExitStatus; error?: SessionError; gone?: ExitStatus }>;

  constructor(socket: ConstructorParameters<typeof Session>[0], flags: number) {
    this.#socket = socket;
    const started = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<Awaited<MonitorClient['ended']>>();
    const result: Awaited<MonitorClient['ended']> = {};
    this.session = new Session(socket, {
      output: (stream, bytes) => {
        this.output += bytes.toString('latin1');
        this.session.credit(stream, bytes.length);
      },
      started: () => started.resolve(),
      exit: (status) => {
        result.exit = status;
      },
      error: (error) => {
        result.error = error;
      },
      gone: (status) => {
        result.gone = status;
      },
      close: () => {
        started.reject(new Error(`ended before it started: ${JSON.stringify(result)}`));
        ended.resolve(result);
      },
    });
    this.session.attach(flags);
    started.promise.catch(() => {});
    this.started = started.promise;
    this.ended = ended.promise;
  }

  disconnect(): void {
    this.#socket.destroy();
  }
}

/** A temporary directory with one layer and as many container directories as a test makes. */
export class MonitorRig {
  readonly dir = mkdtempSync(join(tmpdir(), 'hrun-monitor-'));
  readonly assets = findAssets();
  #count = 0;

  constructor() {
    const root = join(this.dir, 'root');
    for (const name of ['bin', 'proc', 'sys', 'dev', 'etc', 'tmp'])
      mkdirSync(join(root, name), { recursive: true });
    copyFileSync('/bin/busybox', join(root, 'bin/busybox'));
    for (const applet of APPLETS) symlinkSync('busybox', join(root, 'bin', applet));
    execaSync('mkfs.erofs', [join(this.dir, 'layer.erofs'), root]);
  }

  /** Makes a container's directory for `args`; `change` alters its vm.json. */
  container(args: string[], change: Partial<VmConfig> = {}, stdin = false): string {
    const directory = join(this.dir, `container-${this.#count++}`);
    mkdirSync(directory, { mode: 0o700 });
    mkdirSync(settingsPath(directory), { mode: 0o700 });
    const writable = join(directory, 'writable.ext4');
    execaSync('mkfs.ext4', ['-q', writable, '64M']);
    const config = vmConfig({
      volumes: [],
      share: undefined,
      ports: undefined,
      nics: [],
      id: randomBytes(32).toString('hex'), // its control group is its own, also beside another rig
      engine: { engine: 'qemu', qemu: { binary: QEMU, accel: 'tcg' } },
      assets: this.assets,
      vcpus: 1,
      memoryMiB: 256,
      layers: [join(this.dir, 'layer.erofs')],
      writable,
      tty: false,
      stopSignal: 15,
      autoRemove: false,
      resources: {},
      bootTimeoutMs: 60_000,
      log: { driver: 'json-file', maxBytes: 0, maxFiles: 1 },
    });
    writeFileSync(settingsPath(directory, 'vm.json'), JSON.stringify({ ...config, ...change }));
    writeFileSync(settingsPath(directory, 'configure.bin'), this.#configure());
    writeFileSync(settingsPath(directory, 'start.bin'), this.start(args, true, stdin));
    return directory;
  }

  /** The payload of START. */
  start(args: string[], initSession: boolean, stdin = false): Buffer {
    return encodeStart({
      args,
      env: ['PATH=/bin'],
      cwd: '/',
      user: '',
      supplementaryGroups: [],
      capabilities: 0xa80425fbn,
      rlimits: [],
      initSession,
      tty: false,
      stdin,
      noNewPrivileges: false,
      reaper: initSession,
      terminalSize: undefined,
    });
  }

  #configure(): Buffer {
    return encodeConfigure({
      shareSlot: undefined,
      nics: [],
      layerSlots: [3],
      writableSlot: 2,
      hostname: 'box',
      domainname: '',
      readOnlyRoot: false,
      privileged: false,
      mounts: [],
      sysctls: new Map(),
      files: new Map(),
      maskedPaths: [],
      readOnlyPaths: [],
      shmSize: 1 << 20,
      pidsLimit: undefined,
      cpus: undefined,
    });
  }

  /** Starts the monitor, with a copy of a machine if there is a `template`; the client returned is its first. */
  run(
    directory: string,
    flags: number = AttachFlags.STDOUT | AttachFlags.STDERR,
    template?: string,
  ): MonitorClient {
    return new MonitorClient(startMonitor(this.assets.monitor, directory, { template }), flags);
  }

  /** Attaches one more client. */
  async attach(directory: string, flags: number = AttachFlags.STDOUT): Promise<MonitorClient> {
    return new MonitorClient(await connectMonitor(directory), flags);
  }

  state(directory: string) {
    return JSON.parse(readFileSync(join(directory, 'state.json'), 'utf8'));
  }

  [Symbol.dispose](): void {
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}

/** Opens a hybrid vsock connection; resolves with its first line, empty when the guest refused. */
export async function connectVsock(
  directory: string,
  port: number,
): Promise<{ socket: Socket; line: string }> {
  const socket = connect(join(directory, 'vsock.sock'));
  socket.write(`CONNECT ${port}\n`);
  const line = await new Promise<string>((resolve, reject) => {
    socket.once('data', (bytes) => resolve(bytes.toString()));
    socket.once('end', () => resolve(''));
    socket.once('error', reject);
  });
  return { socket, line };
}

/** Resolves once no process has this id, zombies not counted. */
export async function processEnd(pid: number): Promise<void> {
  for (;;) {
    try {
      if (readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.startsWith('Z')) return;
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export { AttachFlags, Stream };
