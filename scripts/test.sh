#!/bin/sh
# npm test: installs what is missing, then runs everything that this machine can run. Arguments narrow it down.
set -eu
root=$(CDPATH='' cd "$(dirname "$0")/.." && pwd -P)
"$root/scripts/install.sh"
exec "$root/scripts/node.sh" "$root/scripts/test.ts" "$@"
