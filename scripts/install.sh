#!/bin/sh
# Installs the dependencies when they are missing or do not match package-lock.json. Otherwise does nothing.
set -eu
root=$(CDPATH='' cd "$(dirname "$0")/.." && pwd -P)
cd "$root"

# npm writes node_modules/.package-lock.json last, so an interrupted installation does not count. Whether it was made
# from this package-lock.json tells our own copy of that; after a plain `npm ci` there is none, and the time has to do.
installed=node_modules/.package-lock.json
copy=node_modules/.corral-package-lock.json
up_to_date() {
  [ -e "$installed" ] || return 1
  if [ -e "$copy" ]; then
    cmp -s package-lock.json "$copy"
  else
    [ -z "$(find package-lock.json -newer "$installed")" ]
  fi
}
if up_to_date; then exit 0; fi

command -v npm >/dev/null || {
  echo "corral: npm is missing: install Node.js 18 or newer with npm from https://nodejs.org" >&2
  exit 2
}
echo "Installing the dependencies (npm ci) ..." >&2
# No package needs its installation script, so none runs.
# NODE_ENV=production would leave out what the checks and tests need. Older Nodes than `engines` wants may install.
npm ci --ignore-scripts --include=dev --include=optional --no-audit --no-fund --loglevel=error >&2
cp package-lock.json "$copy"
