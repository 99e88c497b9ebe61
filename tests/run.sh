#!/usr/bin/env bash
# All checks of claimgate: format, lints, unit and integration tests.
#
#   tests/run.sh            everything; installs what is missing (RabbitMQ's server, Python's venv, a C compiler)
#   tests/run.sh --fast     format, lints, unit tests and the walls; needs Rust and a C compiler only
#   tests/run.sh NAME …     everything, but only the tests whose names hold NAME
#   tests/run.sh --bench    the benches of X12 beside pyx12 and LinuxForHealth, which it installs under target/
#
# Needs root or sudo only where something is missing. Reads no standard input. Starts no service of the system: the tests
# start a broker of their own and end it. CLAIMGATE_CORPUS names the folder of sample files (default ../shared/corpus).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec </dev/null

PYX12_VERSION=4.0.0
LINUXFORHEALTH_VERSION=0.57.0
RUST_VERSION=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)

say() { printf '== %s\n' "$*" >&2; }
fail() {
    printf 'tests/run.sh: %s\n' "$*" >&2
    exit 2
}
have() { command -v "$1" >/dev/null 2>&1; }

# Debian's own place of the server is not on every PATH, nor is Homebrew's.
PATH=$PATH:/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin:$HOME/.cargo/bin

need_rust() {
    have cargo || fail "Rust is missing: install $RUST_VERSION or newer from https://rustup.rs"
    local found
    found=$(rustc --version | cut -d' ' -f2)
    [ "$(printf '%s\n%s\n' "$RUST_VERSION" "$found" | sort -V | head -n1)" = "$RUST_VERSION" ] ||
        fail "Rust $RUST_VERSION or newer is needed, this is $found: run \`rustup update\` (https://rustup.rs)"
    if ! cargo fmt --version >/dev/null 2>&1 || ! cargo clippy --version >/dev/null 2>&1; then
        fail "rustfmt or clippy is missing: run \`rustup component add rustfmt clippy\`"
    fi
}

have_venv() { have python3 && python3 -c 'import venv, ensurepip' 2>/dev/null; }

# Names of what is missing, in our words: compiler broker venv.
missing() {
    have cc || echo compiler
    [ "$1" = fast ] && return
    [ "$1" = bench ] || have rabbitmq-server || echo broker
    have_venv || echo venv
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif have sudo; then
        sudo "$@"
    else
        fail "root is needed for: $*"
    fi
}

# The package of each missing thing, in one package manager's words.
packages() {
    local manager=$1 thing
    shift
    for thing in "$@"; do
        case $manager:$thing in
            apt:compiler) echo gcc libc6-dev ;;
            apt:broker) echo rabbitmq-server ;;
            apt:venv) echo python3 python3-venv ;;
            dnf:compiler) echo gcc ;;
            dnf:broker) echo rabbitmq-server ;;
            dnf:venv) echo python3 ;;
            brew:broker) echo rabbitmq ;;
            brew:venv) echo python ;;
            brew:compiler) fail "a C compiler is missing: run \`xcode-select --install\`" ;;
        esac
    done
}

# Debian starts a service as soon as it is installed; a policy of our own says no, unless there is one already.
POLICY=/usr/sbin/policy-rc.d
forbid_services() {
    [ -e "$POLICY" ] && return
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$POLICY" >/dev/null
    as_root chmod 755 "$POLICY"
    trap 'as_root rm -f "$POLICY"' EXIT
}
allow_services() {
    [ -n "$(trap -p EXIT)" ] || return 0
    as_root rm -f "$POLICY"
    trap - EXIT
}

install() {
    local wanted
    say "installing: $*"
    if have apt-get; then
        read -ra wanted <<<"$(packages apt "$@" | tr '\n' ' ')"
        forbid_services
        as_root apt-get -qq -o DPkg::Lock::Timeout=300 update
        as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=300 \
            install --no-install-recommends "${wanted[@]}" >&2
        allow_services
    elif have dnf; then
        read -ra wanted <<<"$(packages dnf "$@" | tr '\n' ' ')"
        as_root dnf -q -y install "${wanted[@]}" >&2
    elif have brew; then
        read -ra wanted <<<"$(packages brew "$@" | tr '\n' ' ')"
        [ ${#wanted[@]} -gt 0 ] || exit 2
        brew install --quiet "${wanted[@]}" >&2
    else
        fail "no apt-get, dnf or brew here: install by hand: $*"
    fi
}

ensure_tools() {
    local lacking
    read -ra lacking <<<"$(missing "$1" | tr '\n' ' ')"
    [ ${#lacking[@]} = 0 ] || install "${lacking[@]}"
    read -ra lacking <<<"$(missing "$1" | tr '\n' ' ')"
    [ ${#lacking[@]} = 0 ] || fail "still missing after installing: ${lacking[*]}"
}

# A Python package of a pinned version (and what else it needs), in an environment of its own under target/.
ensure_python() {
    local name=$1 version=$2 folder=$PWD/target/$3
    shift 3
    [ -e "$folder/$version.installed" ] && return
    say "installing $name $version into ${folder#"$PWD/"}"
    rm -rf "$folder"
    python3 -m venv "$folder"
    "$folder/bin/pip" install --quiet --disable-pip-version-check --no-input "$name==$version" "$@"
    touch "$folder/$version.installed"
}

# pyx12 judges the X12 that we write; its version is pinned, so that its judgement stays.
ensure_pyx12() {
    ensure_python pyx12 "$PYX12_VERSION" pyx12
    export CLAIMGATE_PYX12=$PWD/target/pyx12/bin/x12valid
}

# Read beside ours by the benches alone. It asks for any pydantic, but can't be loaded with the second.
ensure_linuxforhealth() {
    ensure_python linuxforhealth-x12 "$LINUXFORHEALTH_VERSION" linuxforhealth 'pydantic<2'
    export CLAIMGATE_LINUXFORHEALTH=$PWD/target/linuxforhealth/bin/python
}

# Sample files that are not part of this repository. A build server must have them.
SKIP=()
find_corpus() {
    local folder=${CLAIMGATE_CORPUS:-../shared/corpus}
    if [ -d "$folder" ]; then
        CLAIMGATE_CORPUS=$(cd "$folder" && pwd)
        export CLAIMGATE_CORPUS
    elif [ "${CI:-}" = true ]; then
        fail "the corpus is missing: CLAIMGATE_CORPUS must name its folder (looked for $folder)"
    else
        unset CLAIMGATE_CORPUS
        SKIP=(--skip corpus --skip pairs --skip responses_fhir --skip fhirpath_official --skip x12_conformance)
        say "no corpus at $folder: the tests that read it are left out"
    fi
}

lints() {
    say "format"
    cargo fmt --check
    say "lints"
    cargo clippy --locked --all-targets -- -D warnings
    if have cargo-deny; then
        say "dependencies"
        cargo deny --log-level error check bans licenses sources
    fi
}

main() {
    local mode=all
    case ${1:-} in
        --fast | --bench)
            mode=${1#--}
            shift
            ;;
    esac
    case ${1:-} in -*) fail "unknown option $1; see the head of this file" ;; esac
    need_rust
    ensure_tools "$mode"
    if [ "$mode" = fast ]; then
        lints
        say "unit tests and walls"
        cargo test --locked --lib
        exec cargo test --locked --test all -- architecture documents
    fi
    ensure_pyx12
    if [ "$mode" = bench ]; then
        ensure_linuxforhealth
        exec cargo bench --locked --bench x12 -- "$@"
    fi
    find_corpus
    lints
    say "tests"
    # Last, so that the runner's own line is the last of all.
    if [ $# -eq 0 ] && [ ${#SKIP[@]} -eq 0 ]; then
        say "real claims and their FHIR bundles: which map (and what pyx12 says), which are refused, and why"
        cargo test --locked --test all pairs::real -- --nocapture
    fi
    exec cargo test --locked -- "$@" ${SKIP[@]+"${SKIP[@]}"}
}

main "$@"
