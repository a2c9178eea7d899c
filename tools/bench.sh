#!/usr/bin/env bash
# Measures: the layers' benchmarks and real clusters under load; compares with peers and budgets.
#
#   tools/bench.sh [--smoke | --report | --long | --peers] [FLAGS OF GOOGLE BENCHMARK...]
#
# Writes build/bench/results.json and docs/results/bench.md, and prints the table. --smoke runs each
# once and briefly, under a minute: it shows that they work, not how fast they are, and leaves the
# document alone. --report measures nothing: it writes both again from the last run's files.
# --long adds the simulator's rows that take minutes to hours (100 to 1,000 nodes, an hour) to the last
# run's files; --peers adds etcd, in turn with our cluster (tools/setup.sh --bench installs it).
set -euo pipefail
cd "$(dirname "$0")/.."

mode=full
case ${1:-} in
    --smoke | --report | --long | --peers)
        mode=${1#--}
        shift
        ;;
esac
out=build/bench
flags=(--benchmark_repetitions=5 --benchmark_min_time=0.2)
parts=(calls pinned verified rest writes batches)
if [[ $mode == smoke ]]; then
    out=build/bench/smoke
    flags=(--benchmark_min_time=0.01)
fi
mkdir -p "$out"

if [[ $mode == long ]]; then
    cmake --build --preset release -j "${JOBS:-$(nproc)}" --target creto_bench_sim
    # Each by itself: what one run of hours fails at does not take the others along.
    for load in n100_100tps n250_100tps n500_100tps n1000_100tps n50_ci n100_hour; do
        build/release/creto_bench_sim --only "$load" >"$out/load_long_$load.json" ||
            echo "bench: $load did not finish" >&2
    done
    mode=report
fi
if [[ $mode == peers ]]; then
    cmake --build --preset release -j "${JOBS:-$(nproc)}" --target creto creto_bench_load
    bench/peers/etcd.sh "$out"
    mode=report
fi
if [[ $mode != report ]]; then
    cmake --preset release --log-level=WARNING >/dev/null
    mapfile -t programs <build/release/benches.txt
    if [[ ${#programs[@]} -eq 0 ]]; then
        echo "bench: no layer has a benchmark" >&2
        exit 1
    fi
    cmake --build --preset release -j "${JOBS:-$(nproc)}" --target benches creto creto_bench_load creto_bench_sim
    rm -f "$out"/micro_*.json "$out"/load_*.json  # Also those of --long and --peers: another commit.

    changed=$(git status --porcelain 2>/dev/null | grep -q . && echo ", with changes" || true)
    machine="$(awk -F ': ' '/model name/ {print $2; exit}' /proc/cpuinfo), $(nproc) cores, $(uname -sr)"
    printf '{"machine": "%s", "commit": "%s", "date": "%s", "load": "%s"}\n' "$machine" \
        "$(git rev-parse --short HEAD)$changed" "$(date -u +%F)" "$(cut -d ' ' -f 1 /proc/loadavg)" >"$out/head.json"
    echo "machine: $machine"
    echo "commit:  $(git rev-parse --short HEAD)$changed"

    for program in "${programs[@]}"; do
        echo "== $program" >&2
        "build/release/$program" "${flags[@]}" --benchmark_format=json "$@" >"$out/micro_$program.json"
    done
    smoke=()
    [[ $mode == smoke ]] && smoke=(--smoke)
    echo "== creto_bench_sim" >&2
    build/release/creto_bench_sim "${smoke[@]}" >"$out/load_sim.json"
    for part in "${parts[@]}"; do
        echo "== creto_bench_load $part" >&2
        build/release/creto_bench_load build/release/creto "$out/clusters" --only "$part" "${smoke[@]}" \
            >"$out/load_$part.json"
    done
fi

if [[ $mode == smoke ]]; then
    python3 bench/report.py "$out" "$out/head.json"
else
    mkdir -p docs/results
    python3 bench/report.py "$out" "$out/head.json" --doc docs/results/bench.md
fi
