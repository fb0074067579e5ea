// SPDX-License-Identifier: Apache-2.0
// The machines that bench/virtio-requests.ts compares: the same guest, disk and kind of socket under our monitor and QEMU.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { PROJECT } from '../harness.ts';

const PROGRAM = join(PROJECT, 'build/native/bench/virtio-requests/hrun_requests_bench');
const GUEST = join(PROJECT, 'build/native/guests/requests.elf');
const GUEST_PORT = 1024;
const BULK = 65536;
const SOCKETS = 'pud';
const CONNECT_MS = 50;

/** One run of the guest: microseconds per request. */
export interface Sample {
  /** of CPU, of all processes of the machine, without what the guest spent waiting */
  cpu: number;
  /** from the first request to the last, the guest's own work and waiting included */
  wall: number;
}

/** A machine whose guest waits for commands (bench/virtio-requests/guest/bench.h). */
export class BenchMachine implements AsyncDisposable {
  readonly name: string;
  private readonly directory: string;
  private readonly processes: ChildProcess[] = [];
  private readonly echo: ChildProcess;
  private readonly lines: AsyncIterator<string>;
  private readonly reader: Interface;

  private constructor(name: string, { directory, echo }: Place, processes: ChildProcess[]) {
    this.name = name;
    this.directory = directory;
    this.echo = echo;
    this.processes = processes;
    this.reader = createInterface({ input: processes[0]!.stdout! });
    this.lines = this.reader[Symbol.asyncIterator]();
  }

  /** Our monitor: all devices in one process. */
  static async ours(directory: string, disk: string): Promise<BenchMachine> {
    return await BenchMachine.inOneProcess('hrun', directory, disk);
  }

  /** The same with a disk that does nothing: what KVM and one woken thread take of any device's cost. */
  static async floor(directory: string): Promise<BenchMachine> {
    return await BenchMachine.inOneProcess('a disk that does nothing', directory, '');
  }

  private static async inOneProcess(name: string, directory: string, disk: string): Promise<BenchMachine> {
    const place = await makePlace(directory);
    const machine = start(PROGRAM, ['machine', GUEST, disk, directory, place.tap]);
    return await BenchMachine.ready(name, place, [machine]);
  }

  /** QEMU's microvm with its own virtio-blk and virtio-net, and our vsock device in a process of its own: QEMU has none. */
  static async qemu(directory: string, disk: string, aio: 'threads' | 'io_uring'): Promise<BenchMachine> {
    const place = await makePlace(directory);
    const backend = start(PROGRAM, ['backend', directory]);
    const socket = join(directory, 'vhost.sock');
    while (!existsSync(socket)) await sleep(CONNECT_MS);
    const qemu = start('qemu-system-x86_64', qemuArguments(disk, aio, socket, place.tap));
    return await BenchMachine.ready(`qemu, aio=${aio}`, place, [qemu, backend]);
  }

  /** Has the guest do `count` requests, without a device if `alone`. */
  async run(what: string, count: number, alone = false): Promise<Sample> {
    const peer = SOCKETS.includes(what) && !alone ? this.startPeer(what, count) : undefined;
    if (peer) await sleep(CONNECT_MS);
    const before = this.times();
    const start = process.hrtime.bigint();
    this.processes[0]!.stdin!.write(`${what}${alone ? '!' : ''}${count}\n`);
    const [ticks, waited] = await this.answer('done');
    const wall = Number(process.hrtime.bigint() - start);
    const cpu = spent(before, this.times(), (wall * waited!) / ticks!);
    if (peer && (await exitCode(peer)) !== 0) throw new Error(`${this.name}: the guest's peer failed`);
    return { cpu: cpu / count / 1000, wall: wall / count / 1000 };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.reader.close();
    for (const child of [...this.processes, this.echo]) {
      child.kill('SIGKILL');
      await exitCode(child);
    }
  }

  private static async ready(name: string, place: Place, processes: ChildProcess[]) {
    const machine = new BenchMachine(name, place, processes);
    await machine.answer('ready');
    return machine;
  }

  private startPeer(what: string, count: number): ChildProcess {
    const bytes = what === 'p' ? count : count * BULK;
    const socket = join(this.directory, 'vsock.sock');
    return start(PROGRAM, ['peer', socket, String(GUEST_PORT), what, String(bytes)]);
  }

  private async answer(word: string): Promise<number[]> {
    const { value, done } = await this.lines.next();
    const [first, ...numbers] = String(value).trim().split(' ');
    if (done || first !== word) throw new Error(`${this.name}: the guest said: ${done ? 'nothing' : value}`);
    return numbers.map(Number);
  }

  /** Of all threads that live; those of a bench's machines live as long as it needs them. */
  private times(): Times {
    const times = { onCpu: 0, vcpuOnCpu: 0, vcpuReady: 0 };
    for (const { pid } of this.processes) {
      for (const task of readdirSync(`/proc/${pid}/task`)) {
        const thread = `/proc/${pid}/task/${task}`;
        const [onCpu, ready] = readFileSync(`${thread}/schedstat`, 'utf8').split(' ').map(Number);
        times.onCpu += onCpu!;
        if (!VCPU.test(readFileSync(`${thread}/comm`, 'utf8'))) continue;
        times.vcpuOnCpu += onCpu!;
        times.vcpuReady += ready!;
      }
    }
    return times;
  }
}

/** What a machine finds on the host. */
interface Place {
  directory: string;
  /** an interface that is up */
  tap: string;
  /** sends back what the machine sends, as often as that says */
  echo: ChildProcess;
}

/** packets: more than a run sends, so that none is lost while a machine gets no processor */
const TAP_QUEUE = 8192;
let taps = 0;

async function makePlace(directory: string): Promise<Place> {
  mkdirSync(directory);
  const tap = `requests${taps++}`;
  execFileSync('ip', ['tuntap', 'add', 'mode', 'tap', 'name', tap]);
  const none = ['addrgenmode', 'none']; // the host sends nothing of its own
  execFileSync('ip', ['link', 'set', tap, 'up', 'txqueuelen', String(TAP_QUEUE), ...none]);
  const echo = start(PROGRAM, ['echo', tap]);
  await once(echo.stdout!, 'data');
  return { directory, tap, echo };
}

/** Nanoseconds so far: of all threads on a processor, of the vCPU's there, and of its waiting for one. */
interface Times {
  onCpu: number;
  vcpuOnCpu: number;
  vcpuReady: number;
}

const VCPU = /^(vcpu0|CPU 0\/KVM)$/m;

/**
 * Nanoseconds on a processor, the guest's waiting left out: of `waited`, which has passed meanwhile, the vCPU had its processor
 * for as large a part as of all the time that it wanted one.
 */
function spent(before: Times, after: Times, waited: number): number {
  const vcpu = after.vcpuOnCpu - before.vcpuOnCpu;
  const wanted = vcpu + after.vcpuReady - before.vcpuReady;
  const share = wanted > 0 ? vcpu / wanted : 1;
  return after.onCpu - before.onCpu - waited * share;
}

function start(command: string, args: string[]): ChildProcess {
  return spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
}

async function exitCode(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode;
}

function qemuArguments(disk: string, aio: string, vhostSocket: string, tap: string): string[] {
  return [
    ...['-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none', '-serial', 'stdio'],
    ...['-name', 'requests,debug-threads=on'],
    '-machine',
    'microvm,acpi=off,pit=off,pic=off,rtc=off,isa-serial=on,auto-kernel-cmdline=off,memory-backend=ram',
    ...['-accel', 'kvm', '-cpu', 'host,arch-capabilities=off', '-m', '64M'],
    ...['-object', 'memory-backend-memfd,id=ram,share=on,size=64M'],
    ...['-kernel', GUEST, '-global', 'virtio-mmio.force-legacy=off'],
    ...['-blockdev', `driver=file,node-name=disk,filename=${disk},locking=off,aio=${aio}`],
    ...['-device', 'virtio-blk-device,drive=disk,bus=virtio-mmio-bus.0'],
    ...['-chardev', `socket,id=vsock,path=${vhostSocket}`],
    ...['-device', 'vhost-user-vsock-device,chardev=vsock,bus=virtio-mmio-bus.1'],
    ...['-netdev', `tap,id=net,ifname=${tap},script=no,downscript=no,vhost=off`],
    ...['-device', 'virtio-net-device,netdev=net,bus=virtio-mmio-bus.2'],
  ];
}
