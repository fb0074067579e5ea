#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Rebuilds what changed: native code, guest agent, TypeScript bundle. scripts/setup.sh comes first.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$root/scripts/setup/step.sh"
source "$root/scripts/setup/build.sh"
[[ -x $root/build/node ]] || { echo 'build: not set up yet; run: npm run setup' >&2; exit 1; }
ensure_build
