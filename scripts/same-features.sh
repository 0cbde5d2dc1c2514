#!/bin/sh
# Is every shared dependency built with the same features for the program (`make build`), for the whole workspace, and
# for its tests? Otherwise what comes later would compile that dependency, and all that stands on it, a second time.
set -eu
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT

# features EDGES PACKAGES…: each dependency's version and features, one set per line.
features() {
    edges=$1
    shift
    cargo tree "$@" --locked --prefix none --edges "$edges" --format '{p} [{f}]' | sed 's/ (\*)$//' | sort -u
}
features normal,build --package tallow --package tallow-functions-build >"$folder/program"
features normal,build --workspace >"$folder/workspace"
features normal,build,dev --workspace >"$folder/tests"

# same FIRST SECOND: fails if a dependency of the first has features in it that it does not have in the second.
same() {
    changed=$(comm -23 "$folder/$1" "$folder/$2")
    [ -z "$changed" ] && return
    echo "built with other features for the $2 than for the $1:" >&2
    echo "$changed" | while read -r name version rest; do
        echo "  $1: $name $version $rest"
        grep "^$name $version " "$folder/$2" | sed "s/^/  $2: /"
    done >&2
    echo 'name the feature in [workspace.dependencies], or give up the dependency that adds it' >&2
    exit 1
}
same program workspace
same workspace tests
