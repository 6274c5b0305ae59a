#!/bin/sh
# Runs the project's Node with the given arguments, also where `node` on PATH is too old.
set -eu
root=$(CDPATH='' cd "$(dirname "$0")/.." && pwd -P)
. "$root/bin/find-node.sh"
require_dependencies "$root" || exit 2
node=$(find_node "$root") || exit 2
exec "$node" "$@"
