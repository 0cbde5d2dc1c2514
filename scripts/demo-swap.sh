#!/bin/sh
# The story of functions that live, on this machine alone: a market runs, and its functions are changed meanwhile. A new
# version is shadowed and promoted, a broken one is refused, another is rolled back, and the candles go on.
#
#   scripts/demo-swap.sh PROGRAM FUNCTIONS     both as `make demo-swap` built them
set -eu
tallow=$1 functions=$2
folder=$(mktemp -d)
chmod 700 "$folder"
socket=$folder/control.sock lake=$folder/lake
seconds=45
demo=

end() { [ -z "$demo" ] || kill "$demo" 2>/dev/null || true; rm -rf "$folder"; }
trap end EXIT
trap 'exit 130' INT TERM

say() { printf '\n# %s\n' "$*"; }
run() {
    printf '$ tallow %s\n' "$(echo "$*" | sed "s|$folder/||g; s|$functions/||g")"
    "$tallow" "$@" 2>&1 || echo "(exit code $?)"
}
ask() { run functions "$@" --control "$socket"; }
# A build of a component that differs in a section that nothing reads.
rebuilt() { { cat "$1"; printf '\000\007\004note%s' "$2"; } >"$3"; }
candles() { find "$lake/speed" -name '*.parquet' | wc -l; }

rebuilt "$functions/window.wasm" v2 "$folder/window-v2.wasm"
rebuilt "$functions/parse-market.wasm" v2 "$folder/parse-v2.wasm"

say "A synthetic market starts; its pipeline listens at a socket in a private folder."
"$tallow" demo --seconds "$seconds" --lake "$lake" --control "$socket" >"$folder/demo.out" 2>"$folder/demo.err" &
demo=$!
tries=0
while [ ! -S "$socket" ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 300 ] || { cat "$folder/demo.err" >&2; echo "the demo does not start" >&2; exit 1; }
    sleep 0.1
done
sleep 3

say "A new build of the window function: vetted, then beside the pipeline on live batches, promoted when it said the same for 8 epochs in a row."
ask shadow window "$folder/window-v2.wasm" --until-same 8 --mode hold --probation 8

say "A function that does not do what the golden vectors say is refused before it touches a record."
ask swap window "$functions/test/hostile-window.wasm"

say "So is one that is not a function at all."
ask swap window "$0"

sleep 4
say "A new build of the parse function, swapped in. Its candles wait for the end of a long probation ..."
ask swap parse-market "$folder/parse-v2.wasm" --mode hold --probation 1000
sleep 2
say "... and somebody thinks better of it: code and state go back together, and nobody has seen anything."
ask rollback --why "on second thoughts"

say "What the lake knows of it."
run functions list --lake "$lake"
run functions history --lake "$lake"

say "Meanwhile candles went on. The market's end:"
before=$(candles)
wait "$demo" && demo=
sed -n '/^a synthetic market/,/^tables/p' "$folder/demo.out" | sed '$d'
echo "files of candles in the lake: $before then, $(candles) now"
