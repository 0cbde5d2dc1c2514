#!/bin/sh
# Packs a release: DIST/tallow-VERSION-x86_64-linux.tar.gz. The same files give the same bytes, whenever and by whomever.
#
#   scripts/release.sh PROGRAM FUNCTIONS NOTICES DIST
set -eu
export LC_ALL=C
umask 022
program=$1 functions=$2 notices=$3 dist=$4
root=$(cd "$(dirname "$0")/.." && pwd)
version=$("$program" --version | cut -d ' ' -f 2)
name=tallow-$version-x86_64-linux

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir -p "$dist" "$folder/$name/bin" "$folder/$name/share/tallow"
# Names of symbols are a fifth of the file, and nobody who runs it reads them.
strip -o "$folder/$name/bin/tallow" "$program"
cp "$functions"/*.wasm "$folder/$name/share/tallow/"
cp "$root/LICENSE" "$root/README.md" "$folder/$name/"
cp "$notices" "$folder/$name/NOTICES"
chmod -R u=rwX,go=rX "$folder/$name"

# No clock, no user, no order of the file system; 1980 is the oldest date that all unpackers know.
tar -C "$folder" --format=ustar --sort=name --owner=0 --group=0 --numeric-owner \
    --mtime="@${SOURCE_DATE_EPOCH:-315532800}" -cf - "$name" | gzip -9n >"$folder/tar.gz"
mv "$folder/tar.gz" "$dist/$name.tar.gz"
(cd "$dist" && sha256sum "$name.tar.gz")
