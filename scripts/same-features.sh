#!/bin/sh
# Do the tests ask for a feature of a shared dependency that the build does without? Then `cargo test` would
# compile that dependency, and all that stands on it, a second time.
set -eu
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT

features() {
    cargo tree --workspace --locked --prefix none --edges "$1" --format '{p} [{f}]' | sed 's/ (\*)$//' | sort -u
}
features normal,build >"$folder/build"
features normal,build,dev >"$folder/test"

changed=$(comm -23 "$folder/build" "$folder/test")
if [ -n "$changed" ]; then
    echo 'built with other features for the tests:' >&2
    echo "$changed" | while read -r name version rest; do
        printf '  build: %s\n' "$name $version $rest"
        grep "^$name $version " "$folder/test" | sed 's/^/  tests: /'
    done >&2
    echo 'name the feature in the dependency itself, or give up the dev-dependency that adds it' >&2
    exit 1
fi
