#!/usr/bin/env python3
"""Round by round, what Creto did over what etcd did: the figures of load_peers.json."""

import json
import sys
from pathlib import Path


def main(folder, rounds):
    folder = Path(folder)
    lines = [json.loads(line) for line in (folder / "rounds.jsonl").read_text().splitlines()]
    out = {}

    def add(name, unit, value):
        out.setdefault(name, {"unit": unit, "values": []})["values"].append(value)

    for i in range(int(rounds)):
        etcd = lines[2 * i] | lines[2 * i + 1]
        ours = json.loads((folder / f"writes_{i + 1}.json").read_text())
        ours |= json.loads((folder / f"batches_{i + 1}.json").read_text())
        figure = {name: entry["values"][0] for name, entry in ours.items()}
        add("etcd_c1_p50", "us", etcd["etcd_c1_p50"])
        add("etcd_c1_p95", "us", etcd["etcd_c1_p95"])
        add("etcd_c256_rate", "operations/s", etcd["etcd_c256_rate"])
        add("turn_write_p50", "us", figure["write_n4_p50"])
        add("turn_batches", "operations/s", figure["batches_n4"])
        add("turn_write_ratio", "x", figure["write_n4_p50"] / etcd["etcd_c1_p50"])
        add("turn_batches_ratio", "x", figure["batches_n4"] / etcd["etcd_c256_rate"])
    print(json.dumps(out, indent=1))


if __name__ == "__main__":
    main(*sys.argv[1:])
