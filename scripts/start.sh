#!/bin/sh
# npm start: installs what is missing, then serves. Arguments go to `corral serve`.
set -eu
root=$(CDPATH='' cd "$(dirname "$0")/.." && pwd -P)
"$root/scripts/install.sh"
exec "$root/bin/corral" serve "$@"
