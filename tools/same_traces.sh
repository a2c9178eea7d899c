#!/usr/bin/env bash
# Compares simulated lives between builds: the same seed must give the same trace in all of them.
#
#   tools/same_traces.sh [FIRST LAST]
#
# Builds sim_traces with gcc optimised, with gcc and sanitizers, and with clang optimised (folder
# build/clang), runs the seeds (1 to 20 when none are given) in each, and prints the first seed that
# differs. A few minutes from scratch, of which the lives are seconds.
set -euo pipefail
cd "$(dirname "$0")/.."

first=${1:-1}
last=${2:-20}
jobs=${JOBS:-$(nproc)}
out=build/traces
mkdir -p "$out"

cmake --preset release --log-level=WARNING >/dev/null
cmake --preset dev --log-level=WARNING >/dev/null
cmake -S . -B build/clang -G Ninja --log-level=WARNING -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_COMPILER=clang \
    -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache \
    -DCRETO_WARNINGS_AS_ERRORS=ON -DCRETO_BENCH=OFF >/dev/null

for build in release dev clang; do
    cmake --build "build/$build" -j "$jobs" --target sim_traces >/dev/null
    "build/$build/sim_traces" "$first" "$last" >"$out/$build.txt"
done
for build in dev clang; do
    if ! difference=$(diff "$out/release.txt" "$out/$build.txt"); then
        echo "release and $build differ: seed, trace hash, events"
        head -n 4 <<<"$difference"
        exit 1
    fi
done
echo "seeds $first to $last: the same traces with gcc, gcc and sanitizers, and clang"
