#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Builds the guest kernel from Debian's linux-source package: allnoconfig + fragments/ + patches/.
# The result is cached by the hash of everything it is made of:
#   ${HRUN_CACHE}/kernel/<sha256>/{vmlinux,config,System.map}, and build/kernel points to it.
#
#   guest-kernel/build.sh               build unless cached
#   guest-kernel/build.sh --is-built    exit 0 if build/kernel is up to date; builds nothing
#   guest-kernel/build.sh --work DIR    keep sources and objects in DIR, for incremental builds
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
source_series=6.12
tarball=/usr/src/linux-source-$source_series.tar.xz
cache=${HRUN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/hrun}/kernel

die() {
    echo "guest-kernel: $*" >&2
    exit 1
}

# Everything that decides the result. The tarball counts by its package version and size: hashing
# 150 MB would take longer than the rest of an up-to-date set-up.
input_hash() {
    {
        cat "$here/build.sh" "$here"/fragments/*.config "$here"/patches/*.patch
        dpkg-query -W -f '${Package} ${Version}\n' "linux-source-$source_series" gcc binutils
        stat -c %s "$tarball"
    } | sha256sum | cut -d ' ' -f 1
}

unpack_source() { # directory
    [[ -e $1/.hrun-patched ]] && return
    echo "guest-kernel: unpacking $(basename "$tarball")"
    # The patch queue applies to pristine files only.
    rm -rf "$1"
    mkdir -p "$1"
    tar -C "$1" --strip-components=1 -xf "$tarball" \
        --exclude='*/boot/dts' --exclude='*/drivers/gpu/drm/amd/include' # Kconfig reads every architecture's
    for patch in "$here"/patches/*.patch; do
        patch --quiet -d "$1" -p1 --no-backup-if-mismatch <"$patch" || die "$patch does not apply"
    done
    touch "$1/.hrun-patched"
}

# Every line of every fragment must have come true: Kconfig drops silently what a dependency forbids.
verify_config() { # .config
    local missing=0 line name
    while read -r line; do
        case $line in
            CONFIG_*=*) grep -qxF -- "$line" "$1" || { echo "  wanted $line" >&2; missing=1; } ;;
            '# CONFIG_'*' is not set')
                name=${line#\# } name=${name% is not set}
                ! grep -q "^$name=" "$1" || { echo "  wanted $line" >&2; missing=1; } ;;
        esac
    done < <(cat "$here"/fragments/*.config)
    ((missing == 0)) || die "these options did not end up as the fragments ask"
}

configure() { # source directory
    # KCONFIG_ALLCONFIG as merge_config.sh sets it; its own report of what was lost is replaced by verify_config.
    (cd "$1" && scripts/kconfig/merge_config.sh -n -Q "$here"/fragments/*.config >/dev/null 2>&1) ||
        die "merge_config.sh failed in $1"
    verify_config "$1/.config"
}

compile() { # source directory
    # Same inputs, same bytes: no build time, user, host or directory in the result.
    make -C "$1" --no-print-directory -s -j"$(nproc)" vmlinux LOCALVERSION= \
        KBUILD_BUILD_TIMESTAMP='1970-01-01 00:00:00 UTC' KBUILD_BUILD_USER=hrun KBUILD_BUILD_HOST=hrun
}

install_result() { # source directory, final directory
    local staging
    staging=$(mktemp -d "$cache/tmp.XXXXXX")
    strip --strip-all --remove-section=.comment -o "$staging/vmlinux" "$1/vmlinux"
    cp "$1/.config" "$staging/config"
    cp "$1/System.map" "$staging/System.map"
    chmod 755 "$staging"
    sync "$staging"/*
    rm -rf "$2"
    mv -T "$staging" "$2"
}

link_result() { # final directory
    mkdir -p "$root/build"
    ln -sfn "$1" "$root/build/kernel.new"
    mv -T "$root/build/kernel.new" "$root/build/kernel"
}

build() { # final directory, work directory or ''
    local work=$2
    mkdir -p "$cache"
    exec 9>"$cache/lock"
    flock 9 # a second build of the same kernel waits and finds it done
    [[ -e $1/vmlinux && -z $work ]] && return
    if [[ -z $work ]]; then
        work=$(mktemp -d "$cache/source.XXXXXX")
        trap 'rm -rf "$work"' EXIT
        trap 'exit 130' INT TERM
    fi
    unpack_source "$work/linux"
    configure "$work/linux"
    echo "guest-kernel: compiling $(make -s -C "$work/linux" kernelrelease LOCALVERSION=)"
    compile "$work/linux"
    install_result "$work/linux" "$1"
}

[[ -r $tarball ]] || die "$tarball is missing; run: apt-get install linux-source-$source_series"
final=$cache/$(input_hash)
case ${1:-} in
    --is-built) [[ -e $final/vmlinux && $(readlink "$root/build/kernel") == "$final" ]] || exit 1; exit 0 ;;
    --work) work=${2:?--work needs a directory} ;;
    '') work= ;;
    *) die "unknown option $1" ;;
esac
[[ -e $final/vmlinux && -z $work ]] || build "$final" "$work"
link_result "$final"
echo "guest-kernel: build/kernel/vmlinux is ready ($(stat -Lc %s "$final/vmlinux") bytes)"
