#!/usr/bin/env bash
# Builds the fuzz targets and runs them, one after another, for an equal share of the time.
#
#   tools/fuzz_all.sh [SECONDS_TOTAL=240] [TARGET=words]
#
# TARGET runs only the targets whose name contains it (make fuzz T=message). What a target finds
# interesting is kept in build/fuzz/corpus/<target>; fuzz/corpus/<target> holds the committed
# inputs, which are replayed first. A crash leaves its input under build/fuzz/crashes/ and fails the
# run: replay it with `build/fuzz/<target> <input>`, fix, and commit it to fuzz/corpus/<target>.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds_total=240
wanted=
for word in "$@"; do
    case $word in
    SECONDS_TOTAL=*) seconds_total=${word#*=} ;;
    TARGET=*) wanted=${word#*=} ;;
    *)
        echo "usage: tools/fuzz_all.sh [SECONDS_TOTAL=240] [TARGET=words]" >&2
        exit 2
        ;;
    esac
done
[[ $seconds_total =~ ^[1-9][0-9]*$ ]] || { echo "fuzz: SECONDS_TOTAL is a number of seconds" >&2; exit 2; }

cmake --preset fuzz --log-level=WARNING >/dev/null
mapfile -t known <build/fuzz/fuzzers.txt
targets=()
for target in "${known[@]}"; do
    if [[ $target == "$wanted" ]]; then
        targets=("$target")
        break
    fi
    [[ $target != *"$wanted"* ]] || targets+=("$target")
done
if [[ ${#targets[@]} -eq 0 ]]; then
    echo "fuzz: no target is called like '$wanted'; there are:" >&2
    printf '  %s\n' "${known[@]}" >&2
    exit 2
fi
cmake --build --preset fuzz -j "${JOBS:-$(nproc)}" --target "${targets[@]}"

each=$((seconds_total / ${#targets[@]}))
[[ $each -gt 0 ]] || each=1
mkdir -p build/fuzz/crashes build/fuzz/logs
echo "fuzz: ${#targets[@]} targets, $each s each"

failed=()
for target in "${targets[@]}"; do
    found=build/fuzz/corpus/$target
    mkdir -p "$found"
    corpora=("$found")
    [[ ! -d fuzz/corpus/$target ]] || corpora+=("fuzz/corpus/$target")
    log=build/fuzz/logs/$target.txt
    if "build/fuzz/$target" -max_total_time="$each" -timeout=10 -rss_limit_mb=2048 \
        -artifact_prefix="build/fuzz/crashes/$target-" -print_final_stats=1 \
        "${corpora[@]}" </dev/null >"$log" 2>&1; then
        runs=$(awk '/stat::number_of_executed_units/ {print $2}' "$log")
        printf 'fuzz: %-28s %12s runs, %s inputs kept\n' "$target" "$runs" "$(find "$found" -type f | wc -l)"
    else
        failed+=("$target")
        tail -n 40 "$log"
        printf 'fuzz: %-28s FAILED, all of it in %s\n' "$target" "$log"
    fi
done
if [[ ${#failed[@]} -gt 0 ]]; then
    echo "fuzz: failed: ${failed[*]}" >&2
    exit 1
fi
