// SPDX-License-Identifier: Apache-2.0
// Uses what programs in containers ask of a kernel, one line each: "NAME ok", or "NAME" and why not. Needs all capabilities.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/io_uring.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/rtnetlink.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

// Each check returns a negative number, with errno, when the kernel has not got it.

static int io_uring(void) {
    struct io_uring_params params = {0};
    return (int)syscall(SYS_io_uring_setup, 8, &params);
}

static int bpf_program(void) {
    const struct bpf_insn code[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 0},
                                    {.code = BPF_JMP | BPF_EXIT}};
    union bpf_attr attr = {.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
                           .insns = (uintptr_t)code,
                           .insn_cnt = 2,
                           .license = (uintptr_t) "GPL"};
    return (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof attr);
}

static int bpf_map(void) {
    union bpf_attr attr = {.map_type = BPF_MAP_TYPE_HASH, .key_size = 4, .value_size = 4, .max_entries = 8};
    return (int)syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof attr);
}

// ---- netlink

struct message {
    char bytes[1024];
    size_t size;
};

static struct nlmsghdr* add_header(struct message* message, int type, int flags, const void* body,
                                   size_t size) {
    struct nlmsghdr* header = (struct nlmsghdr*)(message->bytes + message->size);
    *header = (struct nlmsghdr){.nlmsg_type = (unsigned short)type,
                                .nlmsg_flags = (unsigned short)(NLM_F_REQUEST | flags),
                                .nlmsg_len = (unsigned)NLMSG_LENGTH(size),
                                .nlmsg_seq = 1};
    memcpy(NLMSG_DATA(header), body, size);
    message->size += NLMSG_SPACE(size);
    return header;
}

static struct rtattr* add_attribute(struct message* message, struct nlmsghdr* header, int type,
                                    const void* value, size_t size) {
    struct rtattr* attribute = (struct rtattr*)(message->bytes + message->size);
    attribute->rta_type = (unsigned short)type;
    attribute->rta_len = (unsigned short)RTA_LENGTH(size);
    if (size > 0)
        memcpy(RTA_DATA(attribute), value, size);
    message->size += RTA_SPACE(size);
    header->nlmsg_len += (unsigned)RTA_SPACE(size);
    return attribute;
}

// Sends the message; the kernel's answer to the request that asked for one.
static int transact(int family, const struct message* message) {
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, family);
    if (fd < 0 || send(fd, message->bytes, message->size, 0) < 0)
        return -1;
    char answer[2048];
    ssize_t size = recv(fd, answer, sizeof answer, 0);
    close(fd);
    const struct nlmsghdr* header = (const struct nlmsghdr*)answer;
    if (size < (ssize_t)NLMSG_LENGTH(sizeof(struct nlmsgerr)) || header->nlmsg_type != NLMSG_ERROR) {
        errno = EPROTO;
        return -1;
    }
    errno = -((const struct nlmsgerr*)NLMSG_DATA(header))->error;
    return errno == 0 ? 0 : -1;
}

static int nftables(void) {
    const struct nfgenmsg batch = {.res_id = htons(NFNL_SUBSYS_NFTABLES)};
    const struct nfgenmsg inet = {.nfgen_family = 1 /* NFPROTO_INET */};
    struct message message = {.size = 0};
    add_header(&message, NFNL_MSG_BATCH_BEGIN, 0, &batch, sizeof batch);
    struct nlmsghdr* table = add_header(&message, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWTABLE,
                                        NLM_F_CREATE | NLM_F_ACK, &inet, sizeof inet);
    add_attribute(&message, table, NFTA_TABLE_NAME, "t", 2);
    add_header(&message, NFNL_MSG_BATCH_END, 0, &batch, sizeof batch);
    return transact(NETLINK_NETFILTER, &message);
}

static int make_link(const char* kind) {
    const struct ifinfomsg info = {.ifi_family = AF_UNSPEC};
    struct message message = {.size = 0};
    struct nlmsghdr* header =
        add_header(&message, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, &info, sizeof info);
    struct rtattr* nest = add_attribute(&message, header, IFLA_LINKINFO, NULL, 0);
    add_attribute(&message, header, IFLA_INFO_KIND, kind, strlen(kind));
    nest->rta_len = (unsigned short)(message.bytes + message.size - (char*)nest);
    return transact(NETLINK_ROUTE, &message);
}

static int veth(void) {
    return make_link("veth");
}

static int bridge(void) {
    return make_link("bridge");
}

static int legacy_table(const char* name) {
    int fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
    struct ipt_getinfo info = {0};
    strcpy(info.name, name);
    socklen_t size = sizeof info;
    return fd < 0 ? -1 : getsockopt(fd, IPPROTO_IP, IPT_SO_GET_INFO, &info, &size);
}

static int iptables_filter(void) {
    return legacy_table("filter");
}

static int iptables_nat(void) {
    return legacy_table("nat");
}

static int tun(void) {
    mkdir("/dev/net", 0755);
    mknod("/dev/net/tun", S_IFCHR | 0600, makedev(10, 200));
    int fd = open("/dev/net/tun", O_RDWR);
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
    return fd < 0 ? -1 : ioctl(fd, TUNSETIFF, &request);
}

static int ipv6(void) {
    return socket(AF_INET6, SOCK_STREAM, 0);
}

// ---- files and processes

static int overlayfs(void) {
    if (mkdir("/o", 0755) < 0 || mount("tmpfs", "/o", "tmpfs", 0, NULL) < 0 || chdir("/o") < 0)
        return -1;
    for (const char* const* dir = (const char*[]){"lower", "upper", "work", "merged", NULL}; *dir; dir++)
        mkdir(*dir, 0755);
    return mount("overlay", "merged", "overlay", 0, "lowerdir=lower,upperdir=upper,workdir=work");
}

static int fuse(void) {
    mknod("/dev/fuse", S_IFCHR | 0600, makedev(10, 229));
    char options[64];
    int fd = open("/dev/fuse", O_RDWR);
    if (fd < 0 || mkdir("/f", 0755) < 0)
        return -1;
    snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=0,group_id=0", fd);
    return mount("fuse", "/f", "fuse", 0, options);
}

static int in_child(int (*what)(void)) {
    pid_t pid = fork();
    if (pid == 0)
        _exit(what() < 0 ? errno : 0);
    int status;
    waitpid(pid, &status, 0);
    errno = WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
    return errno == 0 ? 0 : -1;
}

static int unshare_all(void) {
    return unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC |
                   CLONE_NEWCGROUP | 0x80 /* CLONE_NEWTIME */);
}

static int namespaces(void) {
    return in_child(unshare_all);
}

static int install_filter(void) {
    struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {.len = 1, .filter = &allow};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -1;
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

static int seccomp_filter(void) {
    return in_child(install_filter);
}

// Every word of `wanted` must stand in the file.
static int words_in(const char* path, const char* const* wanted) {
    char text[4096] = "";
    int fd = open(path, O_RDONLY);
    ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    for (; size >= 0 && *wanted; wanted++)
        if (!strstr(text, *wanted)) {
            errno = ENODEV;
            return -1;
        }
    return size < 0 ? -1 : 0;
}

static int cgroup_controllers(void) {
    return words_in("/sys/fs/cgroup/cgroup.controllers",
                    (const char*[]){"cpuset", "cpu", "io", "memory", "pids", NULL});
}

static int file_systems(void) {
    return words_in("/proc/filesystems", (const char*[]){"ext4", "erofs", "overlay", "virtiofs", "9p",
                                                         "tmpfs", "fuse", "cgroup2", NULL});
}

static int inotify(void) {
    return inotify_init1(0);
}

static int fanotify(void) {
    return fanotify_init(FAN_CLASS_NOTIF, O_RDONLY);
}

static int pty(void) {
    return posix_openpt(O_RDWR);
}

static const struct {
    const char* name;
    int (*check)(void);
} kFeatures[] = {
    {"io_uring", io_uring},
    {"bpf programs", bpf_program},
    {"bpf maps", bpf_map},
    {"nftables", nftables},
    {"iptables filter", iptables_filter},
    {"iptables nat", iptables_nat},
    {"veth", veth},
    {"bridge", bridge},
    {"tun", tun},
    {"IPv6", ipv6},
    {"overlayfs", overlayfs},
    {"fuse", fuse},
    {"namespaces", namespaces},
    {"seccomp filters", seccomp_filter},
    {"cgroup controllers", cgroup_controllers},
    {"file systems", file_systems},
    {"inotify", inotify},
    {"fanotify", fanotify},
    {"pty", pty},
};

int main(void) {
    for (size_t i = 0; i < sizeof kFeatures / sizeof kFeatures[0]; i++)
        printf("%s %s\n", kFeatures[i].name, kFeatures[i].check() < 0 ? strerror(errno) : "ok");
    return 0;
}
