# SPDX-License-Identifier: Apache-2.0
# Sourced. The Debian packages hrun is built from, runs on and is tested with (docs/dependencies.md has the reasons).

runtime_packages=(qemu-system-x86 qemu-system-common e2fsprogs nftables passt)
build_packages=(
    gcc g++ cmake ninja-build make musl-tools libisal-dev libzstd-dev libssl-dev nlohmann-json3-dev libseccomp-dev
    linux-source-6.12 patch flex bison bc libelf-dev perl xz-utils binutils
)
test_packages=(
    debootstrap docker-registry skopeo umoci podman iptables runc erofs-utils busybox-static apache2-utils attr tmux hyperfine
    doctest-dev clang clang-format libclang-rt-14-dev llvm-14 openssl curl jq strace netavark containernetworking-plugins iproute2 isal zstd pigz
    cpio procps util-linux zsh fish qemu-utils
)

missing_packages() { # package... ; prints those that are not installed
    local installed
    # dpkg-query fails when it does not know one of them; what it knows it prints all the same.
    installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null | sed -n 's/ installed$//p') || true
    printf '%s\n' "$@" | grep -vxF -- "$installed" || true
}

install_packages() { # package...
    local apt_get=(env DEBIAN_FRONTEND=noninteractive apt-get -qqy -o Acquire::Retries=3 -o Dpkg::Use-Pty=0)
    ((EUID == 0)) || apt_get=(sudo -n "${apt_get[@]}")
    "${apt_get[@]}" update
    "${apt_get[@]}" install --no-install-recommends "$@"
}

ensure_packages() { # package...
    local missing
    command -v dpkg-query >/dev/null && command -v apt-get >/dev/null ||
        fail "this is no Debian: install what $* stand for, or use a Debian 12 container"
    mapfile -t missing < <(missing_packages "$@")
    ((${#missing[@]} > 0)) || return 0
    if ((EUID != 0)) && ! sudo -n true 2>/dev/null; then
        fail "these packages are missing; as root run: apt-get install ${missing[*]}"
    fi
    step packages "Debian packages (${#missing[@]}: ${missing[*]:0:4} …)" install_packages "${missing[@]}"
}
