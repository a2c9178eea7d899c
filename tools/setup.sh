#!/usr/bin/env bash
# Installs the Debian 12 packages that Creto needs and that are missing. Quick when none is.
#
#   tools/setup.sh          install what is missing (root, or through sudo)
#   tools/setup.sh --list   print the packages with the reason for each
#   tools/setup.sh --bench  the same with what `tools/bench.sh --peers` compares with
#
# One line a package: name, then why. docs/decisions/0003-dependencies.md says more about each.
# Recommended packages are left out on purpose: the list below is all there is.
set -euo pipefail

with_peers=no
if [[ ${1:-} == --bench ]]; then
    with_peers=yes
    shift
fi

packages() {
    needed
    if [[ $with_peers == yes ]]; then peers; fi
}

peers() {
    sed -e '/^ *#/d' -e '/^ *$/d' <<'LIST'
        etcd-server            three members of it take the same load in turn
        libgrpc++-dev          the client of that load
        libprotobuf-dev        its messages
        protobuf-compiler      its messages
        protobuf-compiler-grpc its service
LIST
}

needed() {
    sed -e '/^ *#/d' -e '/^ *$/d' <<'LIST'
        # Building
        g++                    the compiler, and nm for tools/tidy.py
        cmake                  presets, layers, link tests
        ninja-build            the generator of every preset
        ccache                 a second build of the same source takes seconds
        mold                   links the many test programs quickly
        pkg-config             finds libsodium and toml++
        git                    changed files for tidy, the commit in reports
        python3                tools/tidy.py and its tests
        # Libraries of the product
        libexpected-dev        tl::expected, behind Result (base)
        libsodium-dev          Ed25519, X25519, ChaCha20-Poly1305 (crypto)
        librust-blake3-dev     BLAKE3's own C sources with SIMD (crypto)
        nlohmann-json3-dev     JSON of tools, reports and the admin API (tools, sim, ops, scale, cli)
        librocksdb-dev         the store on disk (rocks)
        libboost1.81-dev       Asio and Beast (runtime, ops)
        prometheus-cpp-dev     metrics in the form Prometheus reads (ops)
        libtomlplusplus-dev    creto.toml and scenario files (scale, cli)
        libcli11-dev           the command line (cli)
        libspdlog-dev          log lines of the hosts, and fmt (cli)
        # Checking
        libgtest-dev           unit and whole-system tests
        libbenchmark-dev       benchmarks
        clang                  the fuzz preset
        libclang-rt-14-dev     libFuzzer and the sanitizers of clang
        llvm                   names in the stack of a fuzzer's crash
        clang-format           make format
        clang-tidy             make tidy
LIST
}

if [[ ${1:-} == --list ]]; then
    packages | sed 's/^ *//'
    exit 0
fi

names=$(packages | awk '{print $1}')
if ! command -v dpkg-query >/dev/null; then
    echo "setup: this is not Debian; install what answers to these packages, then build:" >&2
    printf '%s\n' "$names" | sed 's/^/  /' >&2
    exit 0
fi

# shellcheck disable=SC2086  # the names are words
installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' $names 2>/dev/null |
    awk '$1 == "installed" {print $2}' || true)
missing=$(comm -23 <(sort -u <<<"$names") <(sort -u <<<"$installed"))
[[ -n $missing ]] || exit 0

as_root=()
if [[ $(id -u) -ne 0 ]]; then
    if ! command -v sudo >/dev/null; then
        echo "setup: packages are missing and there is no sudo. As root, run:" >&2
        # shellcheck disable=SC2086
        echo "  apt-get update && apt-get install --no-install-recommends" $missing >&2
        exit 1
    fi
    as_root=(sudo)
fi

apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y "$@"; }
# shellcheck disable=SC2086
echo "setup: installing" $missing
apt update
# shellcheck disable=SC2086
apt install --no-install-recommends $missing
