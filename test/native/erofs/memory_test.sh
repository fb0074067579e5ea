#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A layer of one gigabyte converts in at most 64 MiB, whether it is one file or many small ones.
set -euo pipefail
convert=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# name, KiB per file, files
check() {
    mkdir "$dir/tree"
    for ((i = 0; i < $3; i++)); do head -c "$2K" /dev/urandom >"$dir/tree/$i"; done
    tar -C "$dir/tree" -cf - . | igzip -1 >"$dir/blob"
    rm -r "$dir/tree"
    peak=$("$convert" "$dir/image" "$dir/blob" | sed -n 's/^peak KiB //p')
    fsck.erofs "$dir/image"
    echo "$1: peak $peak KiB"
    ((peak <= 65536)) || { echo "more than 64 MiB"; exit 1; }
}

check 'one file of 1 GiB' 1048576 1
check '2000 files of 100 KiB' 100 2000
