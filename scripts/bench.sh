#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs the benches, one after the other: every promised number (SPECIFICATION.md). Results are in bench/results/.
#
#   scripts/bench.sh          all
#   scripts/bench.sh boot     only bench/boot.ts
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
scripts/setup.sh --test && scripts/build.sh --tests || exit 1
names=("$@")
if ((${#names[@]} == 0)); then
    # A file of bench/ that has no `report(` is a part of others.
    mapfile -t names < <(grep -l 'report(' bench/*.ts | grep -v /harness.ts | xargs -n 1 basename -s .ts)
fi
missed=()
for name in "${names[@]}"; do
    [[ -e bench/$name.ts ]] || { echo "bench: there is no bench/$name.ts" >&2; exit 2; }
    printf '\n== %s\n' "$name"
    build/node "bench/$name.ts" || missed+=("$name")
done
((${#missed[@]} == 0)) || { echo "bench: promises missed or benches failed: ${missed[*]}" >&2; exit 1; }
