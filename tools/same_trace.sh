#!/usr/bin/env bash
# Lives the same seeds with the optimised program and with the one that has sanitizers; their traces
# must be equal.
#
#   tools/same_trace.sh [FIRST=1] [LAST=8]
set -euo pipefail
cd "$(dirname "$0")/.."
first=${1:-1}
last=${2:-8}

trace() {
    "$1" sim replay --seed "$2" --json |
        python3 -c 'import json, sys; life = json.load(sys.stdin); print(life["status"], life["trace"])'
}

for seed in $(seq "$first" "$last"); do
    release=$(trace build/release/creto "$seed")
    dev=$(trace build/dev/creto "$seed")
    if [[ $release != "$dev" ]]; then
        echo "seed $seed: release says $release, dev says $dev" >&2
        exit 1
    fi
done
echo "seeds $first to $last: the same lives in release and dev"
