#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# hrun's main job on real input: a real registry on loopback, a real Debian image of several layers in it, and a
# real program in its own virtual machine. Leaves nothing behind, Ctrl-C included.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD

finish() {
    local status=$?
    trap - EXIT INT TERM
    if [[ -n ${registry_stdin:-} ]]; then
        exec {registry_stdin}>&- # the registry ends with its standard input
        wait "$registry_pid" 2>/dev/null || true
    fi
    rm -rf "$work"
    exit "$status"
}

start_registry() { # sets address
    local stdout
    coproc REGISTRY { exec scripts/fixtures/registry.sh --push debian:demo=debian:demo 2>"$work/registry.log"; }
    registry_pid=$REGISTRY_PID
    exec {registry_stdin}>&"${REGISTRY[1]}" {stdout}<&"${REGISTRY[0]}"
    eval "exec ${REGISTRY[1]}>&- ${REGISTRY[0]}<&-"
    read -r address <&"$stdout" || {
        cat "$work/registry.log" >&2
        exit 1
    }
}

say() {
    printf '\n\e[1m%s\e[0m\n' "$*"
}

run_shown() { # command...
    printf '$ %s\n' "${*@Q}" | sed "s/'\([A-Za-z0-9_./:=-]*\)'/\1/g"
    "$@"
}

timed() { # command...
    local started=${EPOCHREALTIME/[.,]/}
    "$@"
    printf '\nFrom hrun run to its end: %d ms\n' $(((${EPOCHREALTIME/[.,]/} - started) / 1000))
}

scripts/setup.sh --test
work=$(mktemp -d "${TMPDIR:-/tmp}/hrun-demo.XXXXXX")
trap finish EXIT
trap 'exit 130' INT TERM
export HRUN_ROOT=$work/root
export HRUN_NETWORK=none # a bridge would stay in this host's network

say 'A registry on loopback, with a Debian image of three layers'
start_registry
image=$address/debian:demo
echo "docker-registry at $address: debian:demo"

say 'Pull: every byte verified, every layer made an EROFS disk'
run_shown bin/hrun pull "$image"

say 'Run: the container in a virtual machine of its own'
inside='
printf "%-10s %-32s %s\n" "" "in the container" "on the host"
printf "%-10s %-32s %s\n" kernel "$(uname -r)" "$HOST_KERNEL"
printf "%-10s %-32s %s\n" system "$(. /etc/os-release; echo "$PRETTY_NAME")" "$HOST_SYSTEM"
printf "%-10s %-32s %s\n" "PID 1" "$(cat /proc/1/comm)" "$HOST_PID1"
python3 -c "import os, platform; print(\"python3   \", platform.python_version(), \"says: 2**64 =\", 2**64, \"from\", os.getcwd())"
cat hello.txt'
host_system=$(. /etc/os-release && echo "$PRETTY_NAME")
timed bin/hrun run -t --rm -e "HOST_KERNEL=$(uname -r)" -e "HOST_SYSTEM=$host_system" \
    -e "HOST_PID1=$(</proc/1/comm)" "$image" bash -c "$inside"

# The first run has it made in the background; this waits for it. Under the kvm engine machines are booted.
say 'Again: from a template, a copy of a machine that was booted before'
run_shown bin/hrun template create >/dev/null
timed run_shown bin/hrun run --rm "$image" uname -sr
HRUN_TEMPLATES=off timed run_shown bin/hrun run --rm "$image" uname -sr
