#!/usr/bin/env bash
# Builds the benchmarks and runs them; says first on what machine and of which commit.
#
#   tools/bench.sh [--smoke] [FLAGS OF GOOGLE BENCHMARK...]
#
# Without flags each one is repeated and printed as mean, median and spread. --smoke runs each
# once and briefly: it shows that they work, not how fast they are.
set -euo pipefail
cd "$(dirname "$0")/.."

flags=(--benchmark_repetitions=7 --benchmark_report_aggregates_only=true)
if [[ ${1:-} == --smoke ]]; then
    shift
    flags=(--benchmark_min_time=0.01)
fi

cmake --preset release --log-level=WARNING >/dev/null
mapfile -t programs <build/release/benches.txt
if [[ ${#programs[@]} -eq 0 ]]; then
    echo "bench: no layer has a benchmark" >&2
    exit 1
fi
cmake --build --preset release -j "${JOBS:-$(nproc)}" --target benches

changed=$(git status --porcelain 2>/dev/null | grep -q . && echo ", with changes" || true)
echo "machine: $(awk -F ': ' '/model name/ {print $2; exit}' /proc/cpuinfo), $(nproc) cores, $(uname -sr)"
echo "commit:  $(git rev-parse --short HEAD)$changed"
for program in "${programs[@]}"; do
    echo
    echo "== $program"
    "build/release/$program" "${flags[@]}" "$@"
done
