#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes a fresh Debian 12 machine ready to run hrun from this checkout. Does only what is not done yet.
#
#   scripts/setup.sh           what hrun needs to be built and to run
#   scripts/setup.sh --test    also what its tests, benches and demo need, with their images
set -euo pipefail
export LC_ALL=C.UTF-8

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$root/scripts/setup/step.sh"
source "$root/scripts/setup/debian-packages.sh"
source "$root/scripts/setup/node.sh"
source "$root/scripts/setup/build.sh"

fail() {
    echo "setup: $*" >&2
    exit 1
}

case ${1:-} in
    '') packages=("${runtime_packages[@]}" "${build_packages[@]}") fixtures=no ;;
    --test) packages=("${runtime_packages[@]}" "${build_packages[@]}" "${test_packages[@]}") fixtures=yes ;;
    *) fail "unknown option $1; there is only --test" ;;
esac
[[ $(uname -m) == x86_64 ]] || fail "hrun runs on x86_64 only, this is $(uname -m)"

mkdir -p "$root/build"
ensure_packages "${packages[@]}"
ensure_npm_packages
choose_node
ensure_build
"$root/guest-kernel/build.sh" --is-built ||
    step kernel 'Guest kernel (minutes, once)' "$root/guest-kernel/build.sh"
if [[ $fixtures == yes ]]; then
    "$root/scripts/fixtures/debian-image.sh" --is-built ||
        step fixtures 'Debian images for tests' "$root/scripts/fixtures/debian-image.sh"
    "$root/scripts/fixtures/workloads-image.sh" --is-built ||
        step workloads 'Debian image with real programs for tests' "$root/scripts/fixtures/workloads-image.sh"
fi
echo "hrun is ready: $("$root/bin/hrun" version 2>/dev/null | head -n 1 || true)"
