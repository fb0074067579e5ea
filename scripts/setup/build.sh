# SPDX-License-Identifier: Apache-2.0
# Sourced. The incremental builds of what is in this repository.

build_native() { # target...
    local dir=$root/build/native
    [[ -e $dir/build.ninja ]] ||
        cmake -S "$root/native" -B "$dir" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DHRUN_TESTS=OFF
    ninja -C "$dir" "$@"
}

# They need packages that hrun itself does not.
build_native_tests() {
    local dir=$root/build/native
    grep -qx HRUN_TESTS:BOOL=ON "$dir/CMakeCache.txt" || cmake -DHRUN_TESTS=ON "$dir"
    build_native all
}

build_initrd() {
    local dir=$root/build/initrd
    [[ -e $dir/build.ninja ]] || cmake -S "$root/initrd" -B "$dir" -G Ninja
    ninja -C "$dir"
}

# Everything esbuild reads decides whether it must run.
bundle_inputs() {
    (cd "$root" && find src scripts/bundle.mjs scripts/launcher.cjs package-lock.json -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum)
}

ensure_bundle() {
    local stamp=$root/build/bundle.stamp wanted
    wanted=$(bundle_inputs)
    [[ -e $root/dist/hrun.cjs && -e $stamp && $(<"$stamp") == "$wanted" ]] && return
    rm -f "$stamp"
    step bundle 'TypeScript bundle' "$root/build/node" "$root/scripts/bundle.mjs"
    echo "$wanted" >"$stamp"
}

# Two builds at once would break each other's ninja logs: the second waits. `tests`: native tests, guests and benches too.
ensure_build() { # [tests]
    exec 8>"$root/build/lock"
    flock 8
    step native 'Native code' build_native hrun-vmm hrun-start hrun-freeze hrun-thaw hrun_addon
    [[ ${1:-} != tests ]] || step native-tests 'Native tests, test guests and benches' build_native_tests
    step initrd 'Guest agent' build_initrd
    ensure_bundle
    exec 8>&-
}
