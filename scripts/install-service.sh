#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Lets systemd start containers with --restart always and unless-stopped when the host boots, and stop all containers before it
# goes down. For root a unit of the system, for anybody else one of the user (`loginctl enable-linger` lets it run without a login).
#
#   scripts/install-service.sh             install, for the store of $HRUN_ROOT or the default one; again: the same
#   scripts/install-service.sh --remove    take it away again; containers stay as they are
#   scripts/install-service.sh --print     show the unit
#
# With $HRUN_UNIT_DIRECTORY the file is put there, and systemd is not told.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
unit=hrun.service

fail() {
    echo "install-service: $*" >&2
    exit 1
}

if [[ $EUID == 0 ]]; then
    scope=--system directory=${HRUN_UNIT_DIRECTORY:-/etc/systemd/system} target=multi-user.target
else
    # The unit has no $XDG_DATA_HOME.
    [[ -z ${XDG_DATA_HOME:-} ]] || HRUN_ROOT=${HRUN_ROOT:-$XDG_DATA_HOME/hrun}
    scope=--user directory=${HRUN_UNIT_DIRECTORY:-${XDG_CONFIG_HOME:-$HOME/.config}/systemd/user} target=default.target
fi

# systemd reads % as a specifier, and quotes and backslashes in words.
quoted() {
    local text=${1//\\/\\\\}
    text=${text//\"/\\\"}
    printf '"%s"' "${text//%/%%}"
}

print_unit() {
    local environment='' text
    [[ -z ${HRUN_ROOT:-} ]] || environment="Environment=$(quoted "HRUN_ROOT=$HRUN_ROOT")"
    text=$(<"$root/scripts/service/$unit")
    text=${text//@HRUN@/"$(quoted "$root/bin/hrun")"}
    text=${text//@TARGET@/$target}
    printf '%s\n' "${text//@ENVIRONMENT@/"$environment"}"
}

systemd() {
    systemctl "$scope" "$@"
}

# False in a chroot that is being made into a machine: there only files are changed.
is_running() {
    systemctl "$scope" show-environment >/dev/null 2>&1
}

install_unit() {
    [[ -x $root/build/node ]] || fail 'hrun is not built yet; run: npm run setup'
    mkdir -p "$directory"
    print_unit >"$directory/$unit.new"
    mv "$directory/$unit.new" "$directory/$unit"
    enable_unit
    echo "installed: $directory/$unit"
}

enable_unit() {
    [[ -z ${HRUN_UNIT_DIRECTORY:-} ]] || return 0
    ! is_running || systemd daemon-reload
    systemd enable "$unit"
    # At shut-down systemd stops what it has started, nothing else.
    ! is_running || systemd start "$unit"
}

remove_unit() {
    [[ -e $directory/$unit ]] || fail "$directory/$unit is not there"
    # Its ExecStop would end the containers.
    sed -i '/^ExecStop=/d' "$directory/$unit"
    if [[ -z ${HRUN_UNIT_DIRECTORY:-} ]]; then
        ! is_running || systemd daemon-reload
        systemd disable "$unit"
        ! is_running || systemd stop "$unit"
    fi
    rm "$directory/$unit"
    [[ -n ${HRUN_UNIT_DIRECTORY:-} ]] || ! is_running || systemd daemon-reload
    echo "removed: $directory/$unit"
}

case ${1:-} in
    '') install_unit ;;
    --remove) remove_unit ;;
    --print) print_unit ;;
    *) fail "unknown option $1; there are --remove and --print" ;;
esac
