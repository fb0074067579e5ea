/* SPDX-License-Identifier: Apache-2.0
 *
 * The agent protocol, version 1: the whole wire contract between the host and the guest agent,
 * and between a client and the monitor's control socket. Prose: docs/agent-protocol.md.
 * src/guest/protocol.ts mirrors this file; test/guest/protocol.test.ts compares the two.
 *
 * Rules that hold for every frame
 *  - All integers are little-endian. A frame is an 8-byte header and `length` bytes of payload.
 *  - Either end treats the other as hostile: an unknown type, a length over the limit for its type,
 *    a stream out of range, or more data than was credited ends the connection.
 *  - One connection carries one session: either the container's own process or one exec.
 *    Sessions never share a connection, so none can stall another.
 *  - Data flows by credit, per stream and per direction: a sender may have at most
 *    HRUN_INITIAL_CREDIT bytes of DATA on a stream that the receiver has not credited back.
 *    So a reader who stops reading one stream holds back neither the other streams nor
 *    SIGNAL, RESIZE and EXIT, and neither end ever buffers more than the credit it gave.
 */
#ifndef HRUN_PROTOCOL_H
#define HRUN_PROTOCOL_H

#include <stdint.h>

#define HRUN_PROTOCOL_MAGIC 0x4e555248u /* "HRUN" */
#define HRUN_PROTOCOL_VERSION 1

#define HRUN_AGENT_PORT 1024 /* vsock port the agent listens on */
#define HRUN_MAX_JOINED 16   /* further containers in one machine */
/* The agent of each listens on a port above HRUN_AGENT_PORT. */
#define HRUN_MAX_SLOT 22 /* of virtio-mmio */

#define HRUN_MAX_PAYLOAD (1024 * 1024)   /* CONFIGURE and START */
#define HRUN_MAX_DATA (64 * 1024)        /* one DATA frame */
#define HRUN_MAX_MESSAGE (4 * 1024)      /* ERROR text */
#define HRUN_INITIAL_CREDIT (256 * 1024) /* bytes per stream before the first CREDIT */

struct hrun_frame_header {
    uint32_t length;   /* payload bytes, without this header */
    uint8_t type;      /* enum hrun_frame_type */
    uint8_t stream;    /* DATA and CREDIT: enum hrun_stream; else 0 */
    uint16_t reserved; /* 0 */
};

enum hrun_stream {
    HRUN_STDIN = 0,
    HRUN_STDOUT = 1,
    HRUN_STDERR = 2,
};

enum hrun_frame_type {
    /* Both directions, first frame of a connection: hrun_hello. The host may send the frames that
     * follow without waiting for the answer. */
    HRUN_HELLO = 1,

    /* Host to guest, once per VM, before the first START: TLVs of enum hrun_configure_tag.
     * Answered by CONFIGURED or ERROR. */
    HRUN_CONFIGURE = 2,
    HRUN_CONFIGURED = 3, /* empty */

    /* Host to guest, once per connection: TLVs of enum hrun_start_tag. Answered by STARTED or ERROR. */
    HRUN_START = 4,
    HRUN_STARTED = 5, /* u32: pid in the container's pid namespace */

    /* Both: bytes of a stream, at most HRUN_MAX_DATA; length 0 is end of file on that stream. */
    HRUN_DATA = 6,
    /* Both: u32 bytes of `stream` that the receiver has consumed. */
    HRUN_CREDIT = 7,

    /* Host to guest: u32 Linux signal number, sent to the session's process (init session: to the
     * container's PID 1, which the agent lets through as Docker does). */
    HRUN_SIGNAL = 8,
    /* Host to guest: u16 rows, u16 columns. */
    HRUN_RESIZE = 9,

    /* Guest to host: hrun_exit. After all DATA of the session; nothing follows it. */
    HRUN_EXIT = 10,
    /* Both: hrun_error followed by UTF-8 text. Ends the session. */
    HRUN_ERROR = 11,

    /* Host to guest: end the container, write all data, unmount, power off. DONE comes once everything
     * is on the disk and before the machine stops. */
    HRUN_SHUTDOWN = 12,
    HRUN_SHUTDOWN_DONE = 13, /* empty */

    /* Host to guest, on any connection: freeze or thaw every process of the container. Answered once it is so; asking
     * for what is so already is fine. On the control socket, client to monitor: the answers go to every client. */
    HRUN_PAUSE = 14,
    HRUN_PAUSED = 15, /* empty */
    HRUN_RESUME = 16,
    HRUN_RESUMED = 17, /* empty */

    /* Host to guest, on any connection: what the container uses now. */
    HRUN_USAGE = 18,
    HRUN_USED = 19, /* hrun_used */

    /* Host to guest, on any connection: other limits for the container, hrun_limits. Answered once they are in force. */
    HRUN_LIMIT = 20,
    HRUN_LIMITED = 21, /* empty */

    /* Host to guest, on any connection, after CONFIGURE: networks that go, then those that come, and files that change with them:
     * TLVs NIC_GONE, NIC, ADDRESS, GATEWAY, ROUTE and FILE of enum hrun_configure_tag. Answered once it is so. A NIC that is not there is
     * gone. A file that the container has written to stays as it is. */
    HRUN_NETWORK = 22,
    HRUN_NETWORKED = 23, /* empty */

    /* Host to guest: the session's process is to go on without the host, which hangs up next. What it says is dropped. */
    HRUN_DETACH = 24, /* empty */

    /* Host to guest, once per connection, while the container's process runs: a further container is to share the machine, its
     * network and host name. Before CONFIGURE it is a rehearsal, with a host name of its own. u32 slots of its disks. An agent of
     * its own serves it as this one serves the first; the connection stays, and its end is the further container's. Answered by
     * JOINED or ERROR.
     * On the control socket, client to monitor: u32 bit mask of the disks that can only be read; after a DISK for each. */
    HRUN_JOIN = 25,
    HRUN_JOINED =
        26, /* u32 vsock port of that agent; on the control socket u32 bit mask of the slots, in the disks' order */

    /* Both ways of the same: end the further container and let go of its disks. Answered once nothing of it is there. */
    HRUN_PART = 27,
    HRUN_PARTED = 28, /* empty */

    /* Host to guest, on the connection of the container's process: the machine is to be saved (docs/checkpoint.md). u32 slot of the
     * vsock device. Its processes stand still, and nothing is said any more; the answer is the last word of the connection. */
    HRUN_SUSPEND = 29,
    HRUN_SUSPENDED = 30, /* text: why it cannot be, and all goes on; empty: it is so */
    /* Host to guest, once the device in that slot is another, on a new connection: hrun_wake. It takes the place of the one that
     * SUSPEND came on, every other one is gone. Behind it TLVs HOSTNAME, FILE, NIC, ADDRESS, GATEWAY and ROUTE of enum hrun_configure_tag, of the container that it is
     * now. Answered by AWAKE; then the processes go on. On the same connection: it was not saved. */
    HRUN_WAKE = 31,
    HRUN_AWAKE = 48, /* hrun_awake */

    /* Control socket of the monitor only (docs/monitor.md), never on vsock. */
    HRUN_ATTACH = 32,   /* client to monitor: u32 of enum hrun_attach_flags; then DATA and CREDIT flow */
    HRUN_ATTACHED = 33, /* monitor to client: hrun_attached */
    HRUN_TRACE = 34,    /* monitor to client: hrun_trace, a stage of the start-up reached */
    HRUN_STOP = 35,     /* client to monitor: hrun_stop */
    HRUN_GONE = 36,     /* monitor to client, last frame: hrun_exit; the monitor has let go of everything */
    HRUN_PLUG =
        37, /* client to monitor: hrun_plug, with descriptors: each queue of a tap interface, perhaps a locked record */
    HRUN_UNPLUG = 38,  /* client to monitor: u32 slot of a network interface that is to go */
    HRUN_PLUGGED = 39, /* empty: the machine has it, or has it no more */
    HRUN_DISK = 40,  /* client to monitor, with a descriptor: a disk of the container that is going to JOIN */
    HRUN_AGENT = 41, /* the same, after JOINED: a socket that is to lead to its agent */
    HRUN_CHECKPOINT = 42, /* client to monitor, with a descriptor: an empty file for the machine's state */
    HRUN_SAVED =
        43, /* the answer, with a descriptor: the machine's memory. All stands still, its disk too, until RELEASE */
    HRUN_RELEASE = 44,  /* client to monitor: u32, 1 to go on, 0 to end */
    HRUN_RELEASED = 45, /* empty: it goes on */
};

struct hrun_hello {
    uint32_t magic;
    uint16_t version;
    uint16_t reserved;
};

struct hrun_exit {
    uint32_t code;   /* exit status as a shell gives it: 0-255, 128+n after signal n */
    uint32_t signal; /* the signal that ended the process, or 0 */
    uint32_t flags;  /* enum hrun_exit_flags */
};

enum hrun_exit_flags {
    HRUN_EXIT_OOM = 1, /* the guest's OOM killer ended it */
};

struct hrun_error {
    uint32_t kind;         /* enum hrun_error_kind */
    uint32_t error_number; /* Linux errno, or 0 */
};

/* Counters begin with the machine. What the guest's kernel cannot tell is 0. */
struct hrun_used {
    uint64_t cpu_us;          /* CPU time of the container's processes */
    uint64_t memory_bytes;    /* of the container: its processes and what the kernel holds for them */
    uint64_t cache_bytes;     /* of these, files that could be read again */
    uint64_t available_bytes; /* memory that processes may have: their limit, else all of the guest's */
    uint64_t pids;            /* processes and threads */
    uint64_t disk_read_bytes; /* of all disks: layers and the writable one */
    uint64_t disk_written_bytes;
    uint64_t net_received_bytes; /* of all interfaces but loopback */
    uint64_t net_sent_bytes;
};

/* 0 leaves a limit as it is, UINT64_MAX takes it away. */
struct hrun_limits {
    uint64_t memory_bytes;
    uint64_t pids;
    uint64_t cpus; /* online, of those that the machine has */
};

enum hrun_error_kind {
    HRUN_ERROR_PROTOCOL = 1,       /* the peer broke this contract */
    HRUN_ERROR_CONFIG = 2,         /* CONFIGURE could not be carried out */
    HRUN_ERROR_NOT_FOUND = 3,      /* the command does not exist (exit code 127) */
    HRUN_ERROR_NOT_EXECUTABLE = 4, /* it exists but cannot be executed (126) */
    HRUN_ERROR_USER = 5,           /* user or group is not in the image (125, as Docker) */
    HRUN_ERROR_CWD = 6,            /* the working directory cannot be entered (126) */
    HRUN_ERROR_START = 7,          /* any other failure to start the process (126) */
    HRUN_ERROR_VM = 8,             /* monitor: the VM did not boot, or died (125) */
    HRUN_ERROR_HOST = 9,           /* monitor: the host failed it: disk full, no memory (125) */
    HRUN_ERROR_FILE = 10,          /* archive: the path cannot be used; the errno says why (1) */
};

/* What one that is woken needs to know. */
struct hrun_wake {
    uint64_t time_ns;    /* since the epoch */
    uint32_t credit[2];  /* bytes of standard output and standard error that the host takes */
    uint8_t entropy[64]; /* for the guest's RNG */
};

struct hrun_awake {
    uint32_t pid;   /* as in STARTED */
    uint32_t input; /* bytes of standard input that were not credited back */
};

struct hrun_attached {
    uint32_t state; /* enum hrun_attached_state */
};

enum hrun_attached_state {
    HRUN_STATE_STARTING = 1,
    HRUN_STATE_RUNNING = 2,
};

enum hrun_attach_flags {
    HRUN_ATTACH_STDIN = 1,
    HRUN_ATTACH_STDOUT = 2,
    HRUN_ATTACH_STDERR = 4,
};

struct hrun_stop {
    uint32_t signal;       /* to the container's process */
    uint32_t milliseconds; /* until SIGKILL */
    uint32_t flags;        /* enum hrun_stop_flags */
};

enum hrun_stop_flags {
    HRUN_STOP_FOR_HOST = 1, /* the host goes down: it is not the user's wish that the container stays ended */
};

/* A device for a machine that runs. */
struct hrun_plug {
    uint32_t slot; /* virtio-mmio slot, empty so far */
    uint32_t mtu;  /* bytes, 68-65535 */
    uint8_t mac[6];
    uint16_t more_queues; /* of the tap interface, behind the first */
};

struct hrun_trace {
    uint32_t stage;    /* enum hrun_stage */
    uint32_t reserved; /* 0 */
    uint64_t time_ns;  /* CLOCK_MONOTONIC of the host */
};

enum hrun_stage {
    HRUN_STAGE_MONITOR_STARTED = 1,
    HRUN_STAGE_VMM_SPAWNED = 2,
    HRUN_STAGE_AGENT_CONNECTED = 3, /* the agent's HELLO arrived */
    HRUN_STAGE_CONFIGURED = 4,
    HRUN_STAGE_PROCESS_STARTED = 5,
    HRUN_STAGE_FIRST_OUTPUT = 6,
    HRUN_STAGE_PROCESS_EXITED = 7,
    HRUN_STAGE_VMM_GONE = 8,
};

/* TLVs: u16 tag, u16 reserved (0), u32 length, then `length` bytes, no padding. Tags marked * may
 * repeat and keep their order. Strings are not NUL-terminated and must not contain NUL, except where
 * NUL separates fields. An unknown tag is an error: both ends come from one build. */
struct hrun_tlv {
    uint16_t tag;
    uint16_t reserved;
    uint32_t length;
};

enum hrun_configure_tag {
    HRUN_CONF_LAYER = 1,      /* * u32: virtio-mmio slot of an EROFS layer, lowest layer first */
    HRUN_CONF_WRITABLE = 2,   /* u32: slot of the writable ext4 disk; without it the upper layer is a tmpfs */
    HRUN_CONF_HOSTNAME = 3,   /* string */
    HRUN_CONF_DOMAINNAME = 4, /* string */
    HRUN_CONF_FLAGS = 5,      /* u32 of enum hrun_configure_flags */
    HRUN_CONF_MOUNT = 6,      /* * "type NUL source NUL target NUL options", options as in mount(8); after the
                              * OCI default mounts; the target is resolved inside the root, never outside.
                              * type "share": what the host shares under the name `source` (HRUN_CONF_SHARE), a
                              * directory or a file; options are attributes ("ro", "nosuid", ...) and "copy": an empty
                              * directory is filled from the image's target first, once, whatever is killed when.
                              * type "disk": the same of a volume on the ext4 disk in the slot that `source` numbers */
    HRUN_CONF_SYSCTL = 7,     /* * "key NUL value", key with dots */
    HRUN_CONF_FILE = 8,   /* * "target NUL content": a generated file bound over target (/etc/hosts, …) */
    HRUN_CONF_MASKED = 9, /* * string: path to hide, as OCI maskedPaths */
    HRUN_CONF_READONLY = 10,   /* * string: path to make read-only, as OCI readonlyPaths */
    HRUN_CONF_TIME = 11,       /* u64: nanoseconds since the epoch; sets the clock */
    HRUN_CONF_ENTROPY = 12,    /* 32-256 bytes, credited to the guest's RNG */
    HRUN_CONF_SHM_SIZE = 13,   /* u64: bytes of /dev/shm; default 64 MiB */
    HRUN_CONF_PIDS_MAX = 14,   /* u64: pids.max of the container's cgroup */
    HRUN_CONF_MEMORY_MAX = 15, /* u64: memory.max of the container's cgroup, below the size of the VM */
    HRUN_CONF_CPUS = 16,       /* u32: how many of the machine's CPUs are online; without it all are */
    HRUN_CONF_SHARE = 20,   /* u32: slot of the virtiofs device of tag "hrun", for mounts of type "share" */
    HRUN_CONF_NIC = 32,     /* * struct hrun_nic */
    HRUN_CONF_ADDRESS = 33, /* * struct hrun_nic_address: one that the NIC in that slot has */
    HRUN_CONF_GATEWAY =
        34, /* * struct hrun_nic_address: where all other packets of the family go; prefix 0 */
    HRUN_CONF_NIC_GONE = 35, /* * u32: slot of a NIC that is to go; in NETWORK only */
    HRUN_CONF_ROUTE = 36,    /* * struct hrun_nic_route: one more that leads out by the NIC in that slot */
    /* 37-63 are kept for networks. */
};

#define HRUN_NIC_NAME_SIZE 16 /* Linux IFNAMSIZ */

/* A virtio-net device and the interface it becomes, before the container's process starts. */
struct hrun_nic {
    uint32_t slot; /* virtio-mmio slot */
    uint32_t mtu;  /* bytes, 68-65535 */
    uint8_t mac[6];
    uint16_t metric;               /* of its default routes: the lowest is taken */
    char name[HRUN_NIC_NAME_SIZE]; /* "eth0", filled up with NUL */
};

struct hrun_nic_address {
    uint32_t slot;       /* of the NIC */
    uint8_t family;      /* enum hrun_address_family */
    uint8_t prefix;      /* bits of the address that are its network's */
    uint16_t flags;      /* enum hrun_address_flags; 0 of a gateway */
    uint8_t address[16]; /* network order; IPv4 in the first four bytes, then 0 */
};

enum hrun_address_flags {
    HRUN_ADDRESS_FLAG_APART = 1, /* no route to its network comes with it */
};

struct hrun_nic_route {
    uint32_t slot;   /* of the NIC */
    uint8_t family;  /* enum hrun_address_family */
    uint8_t prefix;  /* bits of the destination that count */
    uint16_t flags;  /* enum hrun_route_flags */
    uint32_t metric; /* 0: the kernel's own */
    uint8_t destination[16];
    uint8_t gateway[16]; /* zeros: it is reached directly */
};

enum hrun_route_flags {
    HRUN_ROUTE_FLAG_ONLINK = 1, /* the gateway is reached directly, whatever other routes say */
};

enum hrun_address_family {
    HRUN_ADDRESS_IPV4 = 4,
    HRUN_ADDRESS_IPV6 = 6,
};

enum hrun_configure_flags {
    HRUN_CONF_FLAG_READONLY_ROOT = 1,
    HRUN_CONF_FLAG_PRIVILEGED = 2, /* /sys, cgroup writable; all devices */
};

enum hrun_start_tag {
    HRUN_START_ARG = 1,   /* * string; the first is the command, looked up in PATH of ENV */
    HRUN_START_ENV = 2,   /* * "NAME=value" */
    HRUN_START_CWD = 3,   /* string, absolute; made if missing for the init session, as Docker */
    HRUN_START_USER = 4,  /* "user", "uid", "user:group", "uid:gid": looked up in the image's files */
    HRUN_START_GROUP = 5, /* * supplementary group, name or number (--group-add) */
    HRUN_START_CAPS = 6,  /* u64: mask of capabilities (bounding; permitted and effective when uid is 0) */
    HRUN_START_RLIMIT =
        7, /* * u32 resource (Linux RLIMIT_*), u32 0, u64 soft, u64 hard; all ones = unlimited */
    HRUN_START_FLAGS = 8,      /* u32 of enum hrun_start_flags */
    HRUN_START_SIZE = 9,       /* u16 rows, u16 columns of the new terminal */
    HRUN_START_UMASK = 10,     /* u32 */
    HRUN_START_OOM_SCORE = 11, /* u32: oom_score_adj + 1000 */
    HRUN_START_ARCHIVE = 12,   /* u32 of enum hrun_archive: no command but the container's files */
};

/* What a session with HRUN_START_ARCHIVE does; the agent does it by itself, with or without a process in the
 * container. A failure after STARTED is a line on stderr and an exit code that is not 0. */
enum hrun_archive {
    HRUN_ARCHIVE_STAT = 1, /* ARG path. stdout: "mode NUL size NUL seconds NUL nanoseconds NUL target NUL
                            * resolved": octal mode, a symbolic link's target, and the path it leads to in the end */
    HRUN_ARCHIVE_GET = 2,  /* ARG path, ARG name. stdout: a pax archive of it, its entries below `name` */
    HRUN_ARCHIVE_PUT = 3,  /* ARG directory. stdin: a tar that is unpacked there; with HRUN_START_USER all of
                            * it belongs to that user */
    HRUN_ARCHIVE_CHANGES =
        4, /* stdout: "A", "C" or "D", the path and NUL for each change to the image's files */
    HRUN_ARCHIVE_LAYER = 5,  /* stdout: those changes as an OCI layer */
    HRUN_ARCHIVE_EXPORT = 6, /* stdout: all files as one archive, without what is mounted over them */
};

enum hrun_start_flags {
    HRUN_START_INIT_SESSION = 1, /* the container's own process; exactly one per VM, before any exec */
    HRUN_START_TTY = 2,          /* stdout and stderr are one terminal; stream 2 is unused */
    HRUN_START_STDIN = 4,        /* stdin stays open and is fed from stream 0; else /dev/null */
    HRUN_START_NO_NEW_PRIVS = 8,
    HRUN_START_REAPER =
        16, /* --init: the agent's own tiny init is PID 1 and starts the command as its child */
    HRUN_START_DETACHED = 32, /* nobody wants the output, and the process goes on when the host hangs up */
    HRUN_START_PROCESSES =
        64, /* no command: stdout is a line for each process of the container, as ps(1) has it */
    HRUN_START_FROZEN =
        128, /* with HRUN_START_ARCHIVE: the container's processes stand still while it lasts */
};

#endif
