#!/bin/sh
# Packs the host as a plugin of Spin, the trigger of `[[trigger.kafka]]`: a tarball, the same bytes for the same program, and
# the manifest that `spin plugins install` takes.
#
#   scripts/plugin.sh PROGRAM FOLDER      PROGRAM as `make build` made it
set -eu
program=$1
mkdir -p "$2"
folder=$(cd "$2" && pwd)
name=trigger-kafka
fail() { printf 'plugin: %s\n' "$*" >&2; exit 1; }

[ "$(uname -s)" = Linux ] || fail "the host runs on Linux only"
case $(uname -m) in
x86_64 | amd64) arch=amd64 ;;
aarch64 | arm64) arch=aarch64 ;;
*) fail "Spin has no plugins for $(uname -m)" ;;
esac
version=$("$program" --version) || fail "$program does not run: make build"
version=${version##* }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$program" "$work/$name"
chmod 755 "$work/$name"
tar --format=ustar --mtime=@0 --owner=0 --group=0 --numeric-owner -C "$work" -cf "$work/$name.tar" "$name"
gzip -n "$work/$name.tar"
sum=$(sha256sum "$work/$name.tar.gz")
sum=${sum%% *}
# In a URL, whatever the folder is called.
place=$(printf %s "$folder" | sed 's/%/%25/g; s/ /%20/g; s/?/%3F/g; s/#/%23/g; s/"/%22/g')
cat >"$work/$name.json" <<MANIFEST
{
  "name": "$name",
  "description": "Streams of market messages in Kafka into candles, by sandboxed WebAssembly functions, exactly once",
  "version": "$version",
  "spinCompatibility": ">=2.2",
  "license": "Apache-2.0",
  "packages": [
    {
      "os": "linux",
      "arch": "$arch",
      "url": "file://$place/$name.tar.gz",
      "sha256": "$sum"
    }
  ]
}
MANIFEST
mv "$work/$name.tar.gz" "$work/$name.json" "$folder/"
printf 'spin plugins install --file %s --yes\n' "$folder/$name.json"
