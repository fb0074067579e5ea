#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# clang-format over native/, initrd/ and their tests. Checks, or with --write changes the files.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
case ${1:-} in
    '') mode=(--dry-run --Werror) ;;
    --write) mode=(-i) ;;
    *) echo "format-native: unknown option $1; there is only --write" >&2; exit 2 ;;
esac
command -v clang-format >/dev/null || { echo 'format-native: clang-format is missing; run: scripts/setup.sh --test' >&2; exit 1; }
find native initrd test/native test/guests test/initrd test/fuzz bench -type f \( -name '*.c' -o -name '*.cc' -o -name '*.h' \) -print0 2>/dev/null |
    xargs -0 -r clang-format "${mode[@]}"
