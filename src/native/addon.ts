// SPDX-License-Identifier: Apache-2.0
// The seam to build/native/hrun.node: the only types of the addon, with units and errors.
// Every function that fails throws or rejects with a NativeError.

/** What the addon throws: `code` is an errno name, or one of the converter's own codes. */
export interface NativeError extends Error {
  code: string;
  /** converter: the path in the layer that was being read, if any */
  path?: string;
}

/** Codes beyond errno that LayerConverter rejects with. */
export type LayerErrorCode =
  | 'LAYER_CORRUPT' // gzip/zstd/tar broken or truncated
  | 'LAYER_LIMIT' // a limit was passed; the message names it
  | 'LAYER_ABORTED';

/** Limits on one layer; each has a default in the converter, stated in docs/layers.md. */
export interface LayerLimits {
  /** bytes of tar after decompression */
  maxTarBytes?: number;
  /** once more than 1 GiB is inflated: inflated bytes per compressed byte */
  maxRatio?: number;
  maxEntries?: number;
  /** path components */
  maxDepth?: number;
  /** bytes of one pax header or GNU long name */
  maxHeaderBytes?: number;
  /** logical size of one file, holes included */
  maxFileBytes?: number;
}

export interface LayerResult {
  /** hex of the SHA-256 of the bytes as given (compressed) */
  blobSha256: string;
  blobBytes: number;
  /** hex of the SHA-256 of the tar: the diffID */
  tarSha256: string;
  tarBytes: number;
  erofsBytes: number;
  entries: number;
}

/** One layer blob to read: `length` bytes of `fd` from `offset`. The fd stays the caller's. */
export interface LayerSource {
  fd: number;
  offset: number;
  length: number;
}

export interface ConvertOptions {
  /** the EROFS image is written here, from offset 0; the caller syncs, checks the digests and renames */
  outputFd: number;
  /** if given, the blob's bytes as read are also written here, from offset 0 */
  blobFd?: number;
  limits?: LayerLimits;
}

/** A layer fed chunk by chunk, as it arrives from a registry. Inflate, hash and EROFS run in native threads. */
export interface LayerStream {
  /** Resolves when the converter can take more. The buffer must not change until then. */
  write(chunk: Uint8Array): Promise<void>;
  /** All bytes are in: finishes the image. Threads are gone when it settles. */
  end(): Promise<LayerResult>;
  /** Stops all threads; idempotent. Pending promises reject with LAYER_ABORTED. */
  abort(): Promise<void>;
}

export interface JoinResult {
  /** So many of the lowest images must be merged first (hard links between layers). 0: none, and the rest holds. */
  merge: number;
  /** Images below this index must not be stacked: the root of this one is opaque. */
  lowest: number;
  /** Size of the image that was written, to be stacked on top of all. 0: none is needed, none was written. */
  erofsBytes: number;
}

/** A network interface of the host. */
export interface NetworkLink {
  index: number;
  name: string;
  /** "bridge", "tun", …; empty for hardware */
  kind: string;
  up: boolean;
  /** bytes */
  mtu: number;
  /** index of the bridge that it is a port of, or 0 */
  bridge: number;
}

/** What somebody has made of an interface. Addresses and networks have their prefixes: "10.1.0.5/16". */
export interface InterfaceFacts {
  mac: string;
  /** bytes */
  mtu: number;
  up: boolean;
  /** without IPv6's link-local ones; `connected`: the kernel has a route to its network */
  addresses: { address: string; connected: boolean }[];
  /** of the main table, without those that the kernel makes of the addresses; `gateway` null: reached directly */
  routes: { destination: string; gateway: string | null; onLink: boolean; metric: number }[];
}

/** A held lock (flock on an open file description): released by `release` or by the end of the process. */
export interface FileLock {
  release(): void;
}

/** A terminal in raw mode; `restore` sets the mode it had before. */
export interface RawTerminal {
  restore(): void;
}

/** What this host's KVM is worth; see docs/kvm-engine.md. */
export interface KvmProbe {
  apiVersion: number;
  maxVcpus: number;
  maxMemorySlots: number;
  /** names of the KVM extensions that the kvm engine needs and this host lacks */
  missing: string[];
  /** measured with a tiny guest, in guest kernel mode */
  instructionsPerSecond: number;
  /** false where guest kernel code is emulated: the kvm engine works there, but hundreds of times slower */
  hardware: boolean;
  elapsedMs: number;
}

export interface MicroVmConfig {
  /** path of an ELF vmlinux or a bzImage for x86-64 */
  kernel: string;
  initrd?: string;
  commandLine?: string;
  /** 1 to 32; default 1 */
  vcpus?: number;
  /** default 128 */
  memoryMiB?: number;
  /** a virtio-vsock device in this virtio-mmio slot (0 to 22); default: none */
  vsock?: { slot: number; cid: number };
  /** what the guest writes to its serial port, as it comes */
  onConsole?: (bytes: Buffer) => void;
}

export interface RestoreConfig {
  /** a file that `MicroVm.snapshot` has made; it must keep its size as long as the machine lives */
  snapshot: string;
  /** must be there, in this slot, if the machine that was saved had one; its connections are gone, and the guest is told so */
  vsock?: { slot: number; cid: number };
  /** what the guest writes to its serial port, as it comes */
  onConsole?: (bytes: Buffer) => void;
}

export interface MicroVmEnd {
  /** 'reset': the guest powered itself off */
  reason: 'reset' | 'stopped' | 'triple-fault' | 'error';
  /** one line; for the last two followed by the vCPU's registers */
  message: string;
}

/** A machine in this process. It keeps the process alive until `stop` has resolved. */
export interface MicroVm {
  /** Lets the vCPUs run. */
  start(): Promise<void>;
  /** Resolves when no vCPU runs; the guest's clock stands still. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /**
   * Saves the machine, which must be paused (EBUSY) and may go on afterwards, to the file `path`: docs/snapshot-format.md. Until the
   * file is whole and on the disk there is none, or the one that was there.
   */
  snapshot(path: string): Promise<void>;
  /** Gives input to the serial port; resolves with the number of bytes it had room for. */
  writeConsole(bytes: Uint8Array): Promise<number>;
  /**
   * Opens a stream to a vsock port of the guest and resolves with the descriptor of a stream socket, which is the caller's
   * (`new net.Socket({ fd })`). Rejects with ECONNREFUSED, ECONNRESET, or ENODEV without a vsock device.
   */
  connect(port: number): Promise<number>;
  /** Resolves when the guest has come to its end, however. */
  readonly ended: Promise<MicroVmEnd>;
  /** Ends the guest and releases threads, memory and descriptors. Idempotent. */
  stop(): Promise<void>;
  /** `exits`: how often a vCPU had to leave the kernel, as of the last call of one of the functions above */
  statistics(): { exits: number };
}

export interface Addon {
  /** Part of a cached EROFS image's name: a new converter makes new images. */
  readonly converterVersion: number;
  /** Converts one layer blob (gzip, zstd or plain tar by its magic bytes) into one EROFS image. */
  convertLayer(source: LayerSource, options: ConvertOptions): Promise<LayerResult>;
  /** Same, fed by the caller. */
  openLayerStream(options: ConvertOptions): LayerStream;
  /**
   * Applies several layers, lowest first, into one EROFS image: what overlayfs would show of them, with the
   * whiteouts that still matter kept only when `bottom` is false.
   */
  mergeLayers(
    sources: LayerSource[],
    options: { outputFd: number; bottom: boolean; limits?: LayerLimits },
  ): Promise<{ erofsBytes: number; entries: number }>;
  /** What a stack of EROFS images (their fds, lowest first) needs; docs/layers.md, "Stacking". */
  joinDirectories(images: number[], options: { outputFd: number }): Promise<JoinResult>;
  /**
   * flock(2) on `path`, which is created (mode 0600) if missing. `shared` takes LOCK_SH.
   * With `wait` false returns null when somebody else holds it; with `wait` true resolves when held.
   */
  lockFile(path: string, options: { shared: boolean; wait: false }): FileLock | null;
  lockFile(path: string, options: { shared: boolean; wait: true }): Promise<FileLock>;
  /** Copies the allocated extents of a sparse file (reflink where the file system can); the copy has the same size. */
  copySparse(sourcePath: string, targetPath: string): Promise<void>;
  /**
   * Makes a bridge in this process's network namespace if there is none, and gives it what it lacks of `addresses`
   * ("172.31.0.1/16") and `mtu` (bytes). Throws EEXIST when another kind of interface has the name, EPERM without CAP_NET_ADMIN.
   */
  ensureBridge(bridge: { name: string; addresses: readonly string[]; mtu: number }): void;
  /** Removes an interface; one that is gone already is fine. */
  removeLink(name: string): void;
  listLinks(): NetworkLink[];
  /**
   * Makes a network namespace that the file `path`, which is not there yet (EEXIST), keeps by a bind mount until it is removed. EPERM without
   * CAP_SYS_ADMIN.
   */
  createNetworkNamespace(path: string): void;
  /** Takes its path away: it ends with the last who is in it. One that is gone is fine. */
  removeNetworkNamespace(path: string): void;
  /** What there is of an interface in the namespace of this path; null when it has none of that name. */
  describeInterface(namespace: string, name: string): InterfaceFacts | null;
  /** True if there is a rule in this chain of the nf_tables table of family inet. */
  hasFirewallRule(table: string, chain: string): boolean;
  /** Makes the kernel forget the UDP flows to these ports of the host; 0.0.0.0 and :: stand for every address of the family. */
  forgetFlows(ports: readonly { protocol: 'tcp' | 'udp'; hostIp: string; hostPort: number }[]): void;
  /** Measures this host's KVM in some milliseconds. Rejects with ENOENT, EACCES, … when /dev/kvm cannot be used. */
  probeKvm(): Promise<KvmProbe>;
  /** Builds a machine, ready to start. Rejects with ENOEXEC for a bad kernel, EINVAL for a bad configuration. */
  createMicroVm(config: MicroVmConfig): Promise<MicroVm>;
  /**
   * A machine that goes on where the saved one stood, once it is started. vCPUs and memory are those of the saved one; memory is shared with
   * all others of that snapshot until it is written. Rejects with EBADMSG for a file that is truncated, corrupted or no snapshot, EOPNOTSUPP
   * for one of another version or processor, EINVAL when the devices are others.
   */
  restoreMicroVm(config: RestoreConfig): Promise<MicroVm>;
  /** Sets the terminal `fd` to raw mode (cfmakeraw), for output too; throws ENOTTY when it is none. */
  rawTerminal(fd: number): RawTerminal;
  /** The extended attributes of a file, of a symbolic link itself; none where the file system has none. */
  readXattrs(path: Buffer): { name: string; value: Buffer }[];
  /** Throws EOPNOTSUPP or EPERM where it cannot be. */
  setXattr(path: Buffer, name: string, value: Buffer): void;
  /** mknod(2): `mode` has the type (S_IFIFO, S_IFCHR, S_IFBLK). */
  makeNode(path: Buffer, mode: number, major: number, minor: number): void;
  /** [start, length] of each piece of an open file that is no hole; the whole when there are more than 1024. */
  dataExtents(fd: number, size: number): [number, number][];
}
