# SPDX-License-Identifier: Apache-2.0
# Sourced. `step NAME TITLE COMMAND...` runs one step of a set-up: its output goes to build/logs/NAME.log; a
# terminal shows one line with the seconds and the log's last line, anything else gets one line at each end.
# A step that is over within a second, because nothing was to be done, says nothing.
# On failure the log's last 30 lines and its path are printed, and the script ends.

step() { # name, title, command...
    local name=$1 title=$2 log=$root/build/logs/$1.log started=$SECONDS status=0 long=no
    shift 2
    mkdir -p "$root/build/logs"
    set -m # a process group of its own, so that Ctrl-C can end all of the step
    "$@" >"$log" 2>&1 </dev/null &
    local pid=$!
    set +m
    # shellcheck disable=SC2064 # the pid of now
    trap "kill -- -$pid 2>/dev/null; wait $pid 2>/dev/null; exit 130" INT TERM
    step_is_short "$pid" || {
        if [[ -t 1 ]]; then step_watch "$pid" "$title" "$log" "$started"; else echo "$title …"; fi
        long=yes
    }
    wait "$pid" || status=$?
    trap - INT TERM
    [[ ! -t 1 ]] || printf '\r\e[K'
    ((status == 0)) || step_failed "$title" "$log" "$status"
    [[ $long == no ]] || echo "$title: done in $((SECONDS - started)) s"
}

step_is_short() { # pid
    local i
    for ((i = 0; i < 50; i++)); do
        kill -0 "$1" 2>/dev/null || return 0
        sleep 0.02
    done
    return 1
}

step_watch() { # pid, title, log, start second
    local last width
    while kill -0 "$1" 2>/dev/null; do
        width=$(($(tput cols 2>/dev/null || echo 80) - 1))
        last=$(tail -n 1 "$3" | tr -d '\r\e' | tr '\t' ' ')
        printf '\r\e[K%s' "$(printf '%s … %d s  %s' "$2" $((SECONDS - $4)) "$last" | cut -c "1-$width")"
        sleep 0.5
    done
}

step_failed() { # title, log, status
    {
        echo "$1: failed (exit code $3). The last lines of $2:"
        tail -n 30 "$2" | sed 's/^/    /'
    } >&2
    exit 1
}
