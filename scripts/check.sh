#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What must hold before a commit, in under a minute: format, lint, types, arrows, unit tests. All of them run; the
# exit code is 1 if any failed. `--no-tests` leaves the tests to the caller.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
node=build/node
[[ -x $node ]] || { echo 'check: not set up yet; run: npm run setup' >&2; exit 1; }
failed=()

check() { # name, command...
    local name=$1 output
    shift
    if output=$("$@" 2>&1); then
        echo "ok    $name"
    else
        echo "FAIL  $name"
        sed 's/^/      /' <<<"$output"
        failed+=("$name")
    fi
}

check 'format and lint (biome)' "$node" node_modules/@biomejs/biome/bin/biome check --error-on-warnings .
check 'format (clang-format)' scripts/format-native.sh
check 'types (tsc)' "$node" node_modules/typescript/bin/tsc -p .
if [[ ${1:-} != --no-tests ]]; then
    check 'arrows and unit tests (vitest)' "$node" node_modules/vitest/vitest.mjs run --project unit
fi
((${#failed[@]} == 0)) || { echo "check: ${#failed[@]} failed: ${failed[*]}" >&2; exit 1; }
