#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every test there is, from a clean checkout: set-up, checks, native tests, the same with sanitizers, the agent, fuzz
# corpora, unit tests, virtual machines. All lanes run whatever fails; the last line is the sum, and the exit code 1 if any failed.
#
#   scripts/test.sh                 everything
#   scripts/test.sh native unit     only these lanes
#   scripts/test.sh kvm             what takes minutes on /dev/kvm (npm run test:kvm); skipped where there is none
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
counts=$root/build/test-counts
lanes=(checks native sanitized guests agent fuzz unit vm kvm)

heading() {
    printf '\n== %s\n' "$1"
}

# A lane that leaves no counts (it did not compile, it crashed) is one failure.
lane() { # name, file of its counts, command...
    local name=$1 file=$2
    shift 2
    "$@" || echo "lane $name: exit code $?"
    [[ -s $file ]] || touch "$counts/$name.lost"
}

lane_checks() {
    heading 'format, lint, types'
    scripts/check.sh --no-tests 2>&1 | tee "$counts/checks.txt"
}

# Verbose, so that the junit file holds what each program said; only failures are shown.
run_ctest() { # build directory, lane
    ctest --test-dir "$1" --output-on-failure --no-tests=error --timeout 600 -j "$(nproc)" \
        --test-output-size-passed 1000000 --test-output-size-failed 1000000 --output-junit "$counts/$2.xml" |
        grep -vE '^(Test project|\s+Start )'
}

lane_native() {
    heading 'native tests'
    lane native "$counts/native.xml" run_ctest build/native native
}

build_and_ctest() { # lane, source directory, build directory, part of it ("." is all), cmake options...
    local name=$1 source=$2 dir=$3 part=$4 log=$root/build/logs/$1.log
    shift 4
    { cmake -S "$source" -B "$dir" -G Ninja "$@" && ninja -C "$dir" "$part/all"; } >"$log" 2>&1 ||
        { tail -n 30 "$log"; return 1; }
    run_ctest "$dir/$part" "$name"
}

# Both lanes have one build: clang needs half the time that gcc does, and the libraries are compiled once.
sanitized_build=(-DHRUN_ADDON=OFF -DHRUN_SANITIZE=ON -DCMAKE_BUILD_TYPE=Debug '-DCMAKE_CXX_FLAGS_DEBUG=-O1 -g1'
    -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++)

lane_sanitized() {
    heading 'native tests with address and undefined-behaviour sanitizers'
    lane sanitized "$counts/sanitized.xml" build_and_ctest sanitized native build/sanitized test "${sanitized_build[@]}"
}

lane_guests() {
    heading 'test guests on a machine with sanitizers'
    lane guests "$counts/guests.xml" build_and_ctest guests native build/sanitized guests "${sanitized_build[@]}"
}

lane_agent() {
    heading 'the guest agent on this host'
    lane agent "$counts/agent.xml" build_and_ctest agent test/initrd build/initrd-test .
}

lane_fuzz() {
    heading 'fuzz corpora, replayed'
    lane fuzz "$counts/fuzz.xml" build_and_ctest fuzz native build/sanitized fuzz "${sanitized_build[@]}"
}

run_vitest() { # project
    HRUN_TEST_COUNTS=$counts/$1.json build/node node_modules/vitest/vitest.mjs run --project "$1" \
        --reporter=default --reporter=./test/reporter.ts
}

lane_unit() {
    heading 'unit tests'
    lane unit "$counts/unit.json" run_vitest unit
}

lane_vm() {
    heading 'virtual machines'
    lane vm "$counts/vm.json" run_vitest vm
}

# The real guest kernel, machines in numbers, the monitor's kvm engine. HRUN_TEST_CYCLES=10000 makes the long test long.
lane_kvm() {
    heading 'machines on /dev/kvm'
    lane kvm "$counts/kvm.json" run_vitest kvm
}

heading 'set-up'
scripts/setup.sh --test && scripts/build.sh --tests || { echo '0 passed, 1 failed'; exit 1; }
rm -rf "$counts"
mkdir -p "$counts" build/logs
for name in "${@:-${lanes[@]}}"; do
    "lane_$name"
done
echo
build/node scripts/test/counts.mjs "$counts"
