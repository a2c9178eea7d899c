"""Turns what tools/bench.sh measured into build/bench/results.json, a table and docs/results/bench.md.

usage: report.py DIR HEAD.json [--doc FILE]
DIR holds micro_*.json (Google Benchmark) and load_*.json (creto_bench_load).
"""

import json
import statistics
import sys
from pathlib import Path

# What stands in PEERS and in the documents, so that a reader sees every figure beside what it is measured against.
# (title, figure, unit, documents' figure, peer, budget as text, budget, direction); a budget is a number, or another
# figure of the same run and what to multiply its median by.
ROWS = [
    ("local tool call, schema checked", "local_call_add", "ns", "93,124/s, 10.74 us", "MCP SDK in memory 50,568/s, 9 us", "<= 1 us", 1000, "low"),
    ("100 local calls at once, in total", "local_100", "us", "627 us", "-", "627 us", 627, "low"),
    ("100 remote calls at once, in total", "remote_100", "us", "-", "-", "-", None, "low"),
    ("remote call, one outstanding, p50", "remote_c1_p50", "us", "1 ms", "gRPC TLS 296 us over two cores", "<= 0.6 x the peer: 178 us", 178, "low"),
    ("remote call, one outstanding, p50, all on one core", "remote_c1_pinned_p50", "us", "1 ms", "gRPC TLS 215 us (pinned)", "<= 0.6 x the peer: 129 us", 129, "low"),
    ("remote calls, 64 outstanding", "remote_c64", "calls/s", "1,000/s", "gRPC TLS 15,189/s; js-libp2p 1,416/s", ">= 3 x gRPC: 45,567/s; 20 x libp2p: 28,320/s", 45567, "high"),
    ("remote calls, 64 outstanding, all on one core", "remote_c64_pinned", "calls/s", "1,000/s", "gRPC TLS 12,318/s (pinned)", ">= 3 x the peer: 36,954/s", 36954, "high"),
    ("verified call, 7 agents, one outstanding, p50", "verified_c1_p50", "us", "-", "-", "-", None, "low"),
    ("verified call, 7 agents, one outstanding, p95", "verified_c1_p95", "us", "-", "-", "-", None, "low"),
    ("verified call, 7 agents, one outstanding, p95 over that of one remote call", "verified_ratio_c1", "x", "-", "-", "<= 8 x", 8, "low"),
    ("verified call, 7 agents, 8 outstanding, p50", "verified_c8_p50", "us", "-", "-", "-", None, "low"),
    ("verified call, 7 agents, 8 outstanding, p95", "verified_c8_p95", "us", "-", "-", "-", None, "low"),
    ("verified call, 7 agents, 8 outstanding, p95 over that of one remote call", "verified_ratio_c8", "x", "-", "-", "<= 8 x", 8, "low"),
    ("one final write, 4 nodes, synced, p50", "write_n4_p50", "us", "-", "etcd 1.53 ms; libhotstuff 5.75 ms", "<= 3 ms", 3000, "low"),
    ("one final write, 4 nodes, synced, p95", "write_n4_p95", "us", "-", "etcd 2.23 ms; libhotstuff 7.45 ms", "<= 6 ms", 6000, "low"),
    ("one sync of the disk meanwhile (4 KiB append, fdatasync), p50", "sync_n4_p50", "us", "-", "272 us on the quiet machine", "-", None, "low"),
    ("one final write, 7 nodes, synced, p50", "write_n7_p50", "us", "-", "libhotstuff 13.8 ms", "-", None, "low"),
    ("one final write, 7 nodes, synced, p95", "write_n7_p95", "us", "-", "libhotstuff 19.2 ms", "-", None, "low"),
    ("one sync of the disk meanwhile, p50", "sync_n7_p50", "us", "-", "272 us on the quiet machine", "-", None, "low"),
    ("one final write, 4 nodes, over one put of etcd's 3 members, in turn", "turn_write_ratio", "x", "-", "etcd in the same minutes", "-", None, "low"),
    ("etcd's put meanwhile, one outstanding, p50", "etcd_c1_p50", "us", "-", "etcd 1.53 ms", "-", None, "low"),
    ("final operations, 4 nodes, over etcd's puts at 256 outstanding, in turn", "turn_batches_ratio", "x", "-", "etcd in the same minutes", ">= 10 x", 10, "high"),
    ("etcd's puts meanwhile, 256 outstanding", "etcd_c256_rate", "operations/s", "-", "etcd 8,953/s", "-", None, "high"),
    ("a node at rest, one of 4: CPU", "rest_cpu", "%", "-", "-", "<= 1 % of a core", 1, "low"),
    ("a node at rest, one of 4: memory", "rest_memory", "MB", "-", "-", "<= 40 MB", 40, "low"),
    ("final operations, 4 nodes, 256 B, synced, batches of 500", "batches_n4", "operations/s", "-", "libhotstuff in memory 46,969/s; etcd 8,953/s", ">= 100,000/s", 100000, "high"),
    ("final operations, 4 nodes, 256 B, synced, batches of 500, an acknowledgement's p95", "batches_n4_p95", "us", "-", "libhotstuff 212.5 ms", "<= 250 ms", 250000, "low"),
    ("final operations, 4 nodes, CPU of one node for one operation", "batches_n4_cpu", "us", "-", "-", "<= 3 us", 3, "low"),
    ("final operations, 7 nodes, 256 B, synced, batches of 500", "batches_n7", "operations/s", "-", "libhotstuff in memory 25,912/s", ">= 60,000/s", 60000, "high"),
    ("final operations, 7 nodes, 256 B, synced, batches of 500, an acknowledgement's p95", "batches_n7_p95", "us", "-", "libhotstuff 453 ms", "<= 250 ms", 250000, "low"),
    ("final operations, 7 nodes, CPU of one node for one operation", "batches_n7_cpu", "us", "-", "-", "<= 3 us", 3, "low"),
    ("vertex create, 100 B, hashed and signed", "vertex_create/bytes:100", "ns", "1.9 us unsigned", "BLAKE3 220 ns + libsodium sign 20 us", "<= 20.3 us", 20320, "low"),
    ("vertex create, 10 KB, hashed and signed", "vertex_create/bytes:10240", "ns", "12.5 us unsigned", "BLAKE3 3.6 us + libsodium sign 20 us", "<= 23.7 us", 23700, "low"),
    ("Ed25519 sign, 64 B", "signer_sign_64", "ns", "-", "libsodium 50,034/s: 20 us", "20 us", 19986, "low"),
    ("Ed25519 verify, 64 B", "ed25519_verify_64", "ns", "-", "libsodium 17,454/s: 57.3 us", "57.3 us", 57293, "low"),
    ("graph get", "graph_get/vertices:1000", "ns", "128 ns", "-", "<= 50 ns", 50, "low"),
    ("graph add, a vertex of 1,000", "graph_add/vertices:1000|1000", "ns", "612 ns", "-", "<= 300 ns", 300, "low"),
    ("topological sort, a vertex of 1,000", "topological_sort/vertices:1000|1000", "ns", "35 us a sort", "-", "linear", None, "low"),
    ("store: put 1 KiB", "put_1k/batch:1", "ns", "10 us", "db_bench 110,781/s: 9.03 us", ">= 0.8 x the peer: 11.3 us", 11284, "low"),
    ("store: put 1 KiB, synced", "put_1k_synced/group:1", "ns", "-", "db_bench 3,555/s: 281 us", ">= 0.8 x the peer: 352 us", 351617, "low"),
    ("store: get 1 KiB from our cache", "get_1k_from_our_cache", "ns", "500 ns", "-", "<= 500 ns", 500, "low"),
    ("store: get 1 KiB from tables", "get_1k_from_tables", "ns", "50 us", "db_bench 68,683/s: 14.6 us", ">= 0.8 x the peer: 18.2 us", 18200, "low"),
    ("BLAKE3, 100 B", "hash_ours/bytes:100", "ns", "202 ns", "upstream's C in the same run", ">= 0.98 x the peer", ("hash_upstream/bytes:100", 1 / 0.98), "low"),
    ("BLAKE3, 1 KiB", "hash_ours/bytes:1024", "ns", "1.42 us", "upstream's C in the same run", ">= 0.98 x the peer", ("hash_upstream/bytes:1024", 1 / 0.98), "low"),
    ("BLAKE3, 10 KiB", "hash_ours/bytes:10240", "ns", "10.66 us", "upstream's C in the same run", ">= 0.98 x the peer", ("hash_upstream/bytes:10240", 1 / 0.98), "low"),
    ("simulated messages a second, 4 nodes, 20 decisions/s, checkers on", "sim_n4_messages", "messages/s", "-", "-", ">= 3,000,000/s", 3_000_000, "high"),
    ("simulated, 4 nodes, 20 decisions/s: virtual over real time", "sim_n4_speed", "x", "-", "TigerBeetle about 1,000 x (6 nodes)", ">= 2,000 x", 2000, "high"),
    ("simulated messages a second, 31 nodes", "sim_n31_messages", "messages/s", "-", "-", ">= 3,000,000/s", 3_000_000, "high"),
    ("model: 50 nodes, LAN, 50 operations/s: operations a second", "sim_n50_smoke_tps", "operations/s", "-", "-", ">= 45/s", 45, "high"),
    ("model: 50 nodes, LAN, 50 operations/s: p95", "sim_n50_smoke_p95", "ms", "-", "-", "<= 100 ms", 100, "low"),
    ("model: 50 nodes, LAN, 50 operations/s, for a minute: real time", "sim_n50_ci_wall", "s", "-", "-", "< 120 s", 120, "low"),
    ("model: 150 nodes (128 with a seat), local, 56 operations/s: p50", "sim_n150_56tps_p50", "ms", "17.77 ms", "-", "<= 17.77 ms", 17.77, "low"),
    ("model: 150 nodes (128 with a seat), local, batch of 10: p50", "sim_n150_batch10_p50", "ms", "177 ms", "-", "<= 17.77 ms", 17.77, "low"),
    ("model: 100 nodes, LAN, 100 operations/s: simulator's memory for a node", "sim_n100_100tps_memory", "MB", "256 MB", "-", "<= 64 MB", 64, "low"),
    ("model: 100 nodes, LAN, 100 operations/s: bandwidth of a node", "sim_n100_100tps_mbps", "Mbit/s", "5 Mbit/s", "-", "<= 5 Mbit/s", 5, "low"),
    ("model: 100 nodes, LAN, 100 operations/s: CPU of a node, by the cost table", "sim_n100_100tps_cpu", "%", "30 %", "-", "<= 15 %", 15, "low"),
    ("model: 100 nodes, LAN, 100 operations/s: operations a second", "sim_n100_100tps_tps", "operations/s", "-", "-", ">= 95/s", 95, "high"),
    ("model: 100 nodes, LAN, 100 operations/s: p95", "sim_n100_100tps_p95", "ms", "-", "-", "-", None, "low"),
    ("model: 250 nodes, LAN, 100 operations/s: operations a second", "sim_n250_100tps_tps", "operations/s", "-", "-", ">= 95/s", 95, "high"),
    ("model: 500 nodes, LAN, 100 operations/s: operations a second", "sim_n500_100tps_tps", "operations/s", "-", "-", ">= 95/s", 95, "high"),
    ("model: 1,000 nodes, LAN, 100 operations/s: operations a second", "sim_n1000_100tps_tps", "operations/s", "-", "-", ">= 95/s", 95, "high"),
    ("model: 1,000 nodes, LAN, 100 operations/s: p95", "sim_n1000_100tps_p95", "ms", "-", "-", "< 2 x that of 100 nodes", ("sim_n100_100tps_p95", 2), "low"),
    ("model: 100 nodes, an hour at 1 operation/s: growth of memory in its second half", "sim_n100_hour_growth", "%", "-", "-", "< 5 %", 5, "low"),
]


def micro_figures(folder):
    """Real time per iteration in ns of every repetition, by benchmark name."""
    figures = {}
    scale = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}
    for file in sorted(folder.glob("micro_*.json")):
        for entry in json.loads(file.read_text())["benchmarks"]:
            if entry.get("run_type") == "aggregate" or entry.get("error_occurred"):
                continue
            name = "/".join(
                part for part in entry["run_name"].split("/") if not part.startswith(("iterations:", "repeats:", "real_time"))
            )
            # The processor's time for what only computes; the clock's where the disk takes part.
            time = entry["real_time"] if "real_time" in entry["run_name"] else entry["cpu_time"]
            figures.setdefault(name, {"unit": "ns", "values": []})["values"].append(time * scale[entry["time_unit"]])
    return figures


def text(value, unit):
    if unit == "ns":
        value, unit = (value / 1e3, "us") if value >= 1e3 else (value, "ns")
    if unit == "us" and value >= 1e3:
        value, unit = value / 1e3, "ms"
    if unit == "ms" and value >= 1e3:
        value, unit = value / 1e3, "s"
    number = f"{value:,.0f}" if value >= 100 else f"{value:,.3g}"
    return number + ("/s" if unit.endswith("/s") else " " + unit)


def row_of(row, figures):
    title, source, unit, documents, peer, budget_text, budget, direction = row
    name, _, divisor = source.partition("|")
    if name not in figures:
        # A row of the catalogue that was not run stays in the table.
        return {"what": title, "documents": documents, "peer": peer, "budget": budget_text, "missing": True}
    values = [v / float(divisor or 1) for v in figures[name]["values"]]
    median = statistics.median(values)
    out = {"what": title, "figure": name, "unit": unit, "documents": documents, "peer": peer, "budget": budget_text}
    if isinstance(budget, tuple):
        budget = statistics.median(figures[budget[0]]["values"]) * budget[1] if budget[0] in figures else None
    out |= {"median": median, "min": min(values), "max": max(values), "runs": len(values)}
    # Above 1: within the budget, whichever direction is good.
    # What shrank, or took nothing, is as good as a figure can be.
    measured = max(median, 1e-3)
    out["ratio"] = None if budget is None else (budget / measured if direction == "low" else measured / budget)
    others = figures[name].get("others")
    out["others_cores"] = statistics.median(others) if others else None
    return out


def document(head, rows):
    lines = [
        "# Measured",
        "",
        f"Machine: {head['machine']}. Commit {head['commit']}, {head['date']}. Load average: {head['load']}.",
        "",
        "Median (min-max) of the runs. **Ratio** is against the budget and above 1 when it is kept. **Others** is how many",
        "of the machine's cores other processes took meanwhile (median): at 0 the machine was ours, and a figure taken at 1 or",
        "more says what is left of the machine, not what the program can do.",
        "",
        "| what | documents | peer | budget | measured | runs | ratio | others |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for r in rows:
        if "missing" in r:
            lines.append(f"| {r['what']} | {r['documents']} | {r['peer']} | {r['budget']} | not measured | - | - | - |")
            continue
        measured = f"**{text(r['median'], r['unit'])}** ({text(r['min'], r['unit'])} - {text(r['max'], r['unit'])})"
        ratio = "-" if r["ratio"] is None else f"{r['ratio']:.2f}"
        others = "-" if r["others_cores"] is None else f"{r['others_cores']:.2f}"
        lines.append(f"| {r['what']} | {r['documents']} | {r['peer']} | {r['budget']} | {measured} | {r['runs']} | {ratio} | {others} |")
    rows = [r for r in rows if "missing" not in r]
    far = [r for r in rows if r["ratio"] is not None and r["ratio"] < 0.5]
    near = [r for r in rows if r["ratio"] is not None and 0.5 <= r["ratio"] < 1]
    lines += ["", "## Further than a factor of two from the budget", ""]
    lines += [f"- {r['what']}: {text(r['median'], r['unit'])}, budget {r['budget']} ({1 / r['ratio']:.1f} x off)" for r in far] or ["Nothing."]
    lines += ["", "## Missed by less than that", ""]
    lines += [f"- {r['what']}: {text(r['median'], r['unit'])}, budget {r['budget']} (ratio {r['ratio']:.2f})" for r in near] or ["Nothing."]
    return "\n".join(lines) + "\n"


NOTES = Path(__file__).with_name("notes.md")


def main(arguments):
    folder, head = Path(arguments[0]), json.loads(Path(arguments[1]).read_text())
    figures = micro_figures(folder)
    for file in sorted(folder.glob("load_*.json")):
        if file.stat().st_size > 0:  # Empty: that part did not finish.
            figures |= json.loads(file.read_text())
    rows = [row_of(row, figures) for row in ROWS]
    (folder / "results.json").write_text(json.dumps({"head": head, "rows": rows, "figures": figures}, indent=1) + "\n")
    width = max(len(r["what"]) for r in rows)
    for r in rows:
        if "missing" in r:
            print(f"{r['what']:<{width}}  {'not measured':>14}  {r['budget']:<48}")
            continue
        ratio = "" if r["ratio"] is None else f"ratio {r['ratio']:.2f}"
        print(f"{r['what']:<{width}}  {text(r['median'], r['unit']):>14}  {r['budget']:<48}  {ratio}")
    if "--doc" in arguments:
        Path(arguments[arguments.index("--doc") + 1]).write_text(document(head, rows) + "\n" + NOTES.read_text())


if __name__ == "__main__":
    main(sys.argv[1:])
