// SPDX-License-Identifier: Apache-2.0
// Mirror of initrd/protocol.h, which explains every frame and field; test/guest/protocol.test.ts compares the two.

export const PROTOCOL_MAGIC = 0x4e555248;
export const PROTOCOL_VERSION = 1;
export const AGENT_PORT = 1024;
/** further containers in one machine */
export const MAX_JOINED = 16;
/** of virtio-mmio */
export const MAX_SLOT = 22;
/** bytes: CONFIGURE and START */
export const MAX_PAYLOAD = 1024 * 1024;
/** bytes of one DATA frame */
export const MAX_DATA = 64 * 1024;
/** bytes of ERROR text */
export const MAX_MESSAGE = 4 * 1024;
/** bytes a sender may have in flight per stream before the first CREDIT */
export const INITIAL_CREDIT = 256 * 1024;

/** bytes of an interface's name in struct hrun_nic, with the NUL */
export const NIC_NAME_SIZE = 16;

/** bytes of struct hrun_frame_header: u32 length, u8 type, u8 stream, u16 reserved */
export const HEADER_BYTES = 8;

export const Stream = { STDIN: 0, STDOUT: 1, STDERR: 2 } as const;
export type OutputStream = typeof Stream.STDOUT | typeof Stream.STDERR;

export const FrameType = {
  HELLO: 1,
  CONFIGURE: 2,
  CONFIGURED: 3,
  START: 4,
  STARTED: 5,
  DATA: 6,
  CREDIT: 7,
  SIGNAL: 8,
  RESIZE: 9,
  DETACH: 24,
  EXIT: 10,
  ERROR: 11,
  SHUTDOWN: 12,
  SHUTDOWN_DONE: 13,
  PAUSE: 14,
  PAUSED: 15,
  RESUME: 16,
  RESUMED: 17,
  USAGE: 18,
  USED: 19,
  LIMIT: 20,
  LIMITED: 21,
  NETWORK: 22,
  NETWORKED: 23,
  JOIN: 25,
  JOINED: 26,
  PART: 27,
  PARTED: 28,
  SUSPEND: 29,
  SUSPENDED: 30,
  WAKE: 31,
  AWAKE: 48,
  ATTACH: 32,
  ATTACHED: 33,
  TRACE: 34,
  STOP: 35,
  GONE: 36,
  PLUG: 37,
  UNPLUG: 38,
  PLUGGED: 39,
  DISK: 40,
  AGENT: 41,
  CHECKPOINT: 42,
  SAVED: 43,
  RELEASE: 44,
  RELEASED: 45,
} as const;

export const ExitFlags = { OOM: 1 } as const;

export const ErrorKind = {
  PROTOCOL: 1,
  CONFIG: 2,
  NOT_FOUND: 3,
  NOT_EXECUTABLE: 4,
  USER: 5,
  CWD: 6,
  START: 7,
  VM: 8,
  HOST: 9,
  FILE: 10,
} as const;

export const AttachedState = { STARTING: 1, RUNNING: 2 } as const;

export const AttachFlags = { STDIN: 1, STDOUT: 2, STDERR: 4 } as const;

export const StopFlags = { FOR_HOST: 1 } as const;

export const Stage = {
  MONITOR_STARTED: 1,
  VMM_SPAWNED: 2,
  AGENT_CONNECTED: 3,
  CONFIGURED: 4,
  PROCESS_STARTED: 5,
  FIRST_OUTPUT: 6,
  PROCESS_EXITED: 7,
  VMM_GONE: 8,
} as const;

export const ConfigureTag = {
  LAYER: 1,
  WRITABLE: 2,
  HOSTNAME: 3,
  DOMAINNAME: 4,
  FLAGS: 5,
  MOUNT: 6,
  SYSCTL: 7,
  FILE: 8,
  MASKED: 9,
  READONLY: 10,
  TIME: 11,
  ENTROPY: 12,
  SHM_SIZE: 13,
  PIDS_MAX: 14,
  MEMORY_MAX: 15,
  CPUS: 16,
  SHARE: 20,
  NIC: 32,
  ADDRESS: 33,
  GATEWAY: 34,
  NIC_GONE: 35,
  ROUTE: 36,
} as const;

export const AddressFamily = { IPV4: 4, IPV6: 6 } as const;

export const AddressFlags = { APART: 1 } as const;

export const RouteFlags = { ONLINK: 1 } as const;

export const ConfigureFlags = { READONLY_ROOT: 1, PRIVILEGED: 2 } as const;

export const StartTag = {
  ARG: 1,
  ENV: 2,
  CWD: 3,
  USER: 4,
  GROUP: 5,
  CAPS: 6,
  RLIMIT: 7,
  FLAGS: 8,
  SIZE: 9,
  UMASK: 10,
  OOM_SCORE: 11,
  ARCHIVE: 12,
} as const;

export const StartFlags = {
  INIT_SESSION: 1,
  TTY: 2,
  STDIN: 4,
  NO_NEW_PRIVS: 8,
  REAPER: 16,
  DETACHED: 32,
  PROCESSES: 64,
  FROZEN: 128,
} as const;

export const Archive = { STAT: 1, GET: 2, PUT: 3, CHANGES: 4, LAYER: 5, EXPORT: 6 } as const;
