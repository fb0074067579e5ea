#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Rebuilds what changed: native code, guest agent, TypeScript bundle. scripts/setup.sh comes first.
#
#   scripts/build.sh           what runs
#   scripts/build.sh --tests   also native tests, test guests and benches
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$root/scripts/setup/step.sh"
source "$root/scripts/setup/build.sh"
[[ -x $root/build/node ]] || { echo 'build: not set up yet; run: npm run setup' >&2; exit 1; }
case ${1:-} in
    '') ensure_build ;;
    --tests) ensure_build tests ;;
    *) echo "build: unknown option $1; there is only --tests" >&2; exit 2 ;;
esac
