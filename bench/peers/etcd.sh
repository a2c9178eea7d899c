#!/usr/bin/env bash
# etcd and Creto in turn on this machine: the same load, minute by minute, and the median of the ratios.
#
#   bench/peers/etcd.sh OUT_FOLDER [ROUNDS]
#
# Each round: three etcd members on loopback (data on the disk of OUT_FOLDER, default settings, no TLS),
# one put at a time and 256 outstanding, 256-byte values; then four Creto nodes, one final write at a
# time and batches of 500. Writes OUT_FOLDER/load_peers.json, to be read by bench/report.py.
# Needs `tools/setup.sh --bench` and build/release.
set -euo pipefail
cd "$(dirname "$0")/../.."

out=$1
rounds=${2:-3}
work=$out/peers
mkdir -p "$work"
if [[ ! -x $work/etcd_load || bench/peers/etcd_load.cpp -nt $work/etcd_load ]]; then
    protoc -I bench/peers --cpp_out="$work" --grpc_out="$work" \
        --plugin=protoc-gen-grpc="$(command -v grpc_cpp_plugin)" bench/peers/kv.proto
    # shellcheck disable=SC2046  # pkg-config prints words
    g++ -std=c++17 -O2 -I "$work" bench/peers/etcd_load.cpp "$work"/kv.pb.cc "$work"/kv.grpc.pb.cc \
        $(pkg-config --cflags --libs grpc++ protobuf) -o "$work/etcd_load"
fi

members=()
stop_etcd() {
    for pid in "${members[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${members[@]}"; do wait "$pid" 2>/dev/null || true; done
    members=()
}
trap stop_etcd EXIT

start_etcd() {
    rm -rf "$work"/data
    local cluster=""
    for i in 1 2 3; do cluster+="m$i=http://127.0.0.1:$((23800 + i)),"; done
    for i in 1 2 3; do
        etcd --name "m$i" --data-dir "$work/data/$i" --log-level error \
            --listen-client-urls "http://127.0.0.1:$((23790 + i))" \
            --advertise-client-urls "http://127.0.0.1:$((23790 + i))" \
            --listen-peer-urls "http://127.0.0.1:$((23800 + i))" \
            --initial-advertise-peer-urls "http://127.0.0.1:$((23800 + i))" \
            --initial-cluster "${cluster%,}" --initial-cluster-token bench 2>>"$work/etcd.log" >&2 &
        members+=($!)
    done
    # Ready when a put through each member succeeds.
    for i in 1 2 3; do
        local tries=0
        until "$work/etcd_load" ready 1 1 1 "127.0.0.1:$((23790 + i))" >/dev/null 2>&1; do
            ((tries++ < 100)) || { echo "etcd: member $i does not answer" >&2; exit 1; }
            sleep 0.1
        done
    done
}

: >"$work/rounds.jsonl"
addresses=(127.0.0.1:23791 127.0.0.1:23792 127.0.0.1:23793)
for ((round = 1; round <= rounds; ++round)); do
    echo "== round $round: etcd" >&2
    start_etcd
    "$work/etcd_load" etcd_c1 1 "${C1:-1000}" 256 "${addresses[@]}" >>"$work/rounds.jsonl"
    "$work/etcd_load" etcd_c256 256 "${C256:-15000}" 256 "${addresses[@]}" >>"$work/rounds.jsonl"
    stop_etcd
    echo "== round $round: creto" >&2
    build/release/creto_bench_load build/release/creto "$work/clusters" --runs 1 --nodes 4 \
        --only writes >"$work/writes_$round.json"
    build/release/creto_bench_load build/release/creto "$work/clusters" --runs 1 --nodes 4 \
        --only batches >"$work/batches_$round.json"
done
python3 bench/peers/ratios.py "$work" "$rounds" >"$out/load_peers.json"
