#!/usr/bin/env python3
"""Where the time of final writes goes: four nodes, an open-loop client outside them, and what watches one node.

usage: order_time.py PROGRAM DIR [--rate 40] [--seconds 20] [--batch 1] [--watch none|trace|perf|strace]

PROGRAM is the creto binary; DIR takes the nodes' folders, and must not exist. Each operation carries 256 bytes.
--batch sends so many with one request; --rate counts requests. Latencies run from the instant at which a request
was meant to be sent. The nodes talk to each other directly, on loopback.
  trace   every node writes its events (log.trace); their steps are printed by timeline.py
  perf    node 1 is sampled; the samples are grouped by what they were for
  strace  the syncs of node 1 are counted; the latencies are then strace's
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

NODES = 4
PAYLOAD_BYTES = 256
CLIENTS = 24
WATCHED = 1
TICKS = os.sysconf("SC_CLK_TCK")

# The first that fits, on "dso symbol"; what fits none is the protocol's own or the standard library's.
GROUPS = (
    ("system calls and kernel", r"^\[kernel|^\[guest|\[k\]|^\[vdso"),
    ("libsodium: Ed25519, and the links' ChaCha20-Poly1305", r"libsodium|ed25519|ge25519|fe25519|sc25519|crypto_sign|crypto_core|libcrypto"),
    ("hashing (BLAKE3)", r"blake3"),
    ("links: ChaCha20, Noise, yamux, sockets", r"chacha|poly1305|p2p::|asio|beast|Noise|Yamux|Connection"),
    ("store (RocksDB, vote log)", r"rocksdb|librocks|FileVoteLog|vote_log|journal|HotCache|RocksStore|crc32"),
    ("bytes and JSON", r"Writer|Reader|encode|decode|json|nlohmann"),
    ("allocation and copies", r"malloc|free|operator (new|delete)|mem(cpy|move|set|cmp)|_int_|__mem"),
)


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def machine_s() -> float:
    fields = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()
    return sum(int(field) for field in fields[1:4]) / TICKS


class Cluster:
    """Made by `creto cluster up`, then run without its link shim."""

    def __init__(self, program: Path, folder: Path, trace: bool) -> None:
        self.folder = folder
        made = folder.with_name(folder.name + "-made")
        words = [str(program), "cluster", "up", "-n", str(NODES), "--dir", str(made), "--json"]
        up = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
        self.ports = [int(node["admin"].rpartition("/")[2]) for node in up["nodes"]]
        folder.mkdir(parents=True)
        for name in (node["name"] for node in up["nodes"]):
            (folder / name).mkdir()
            for file in ("creto.toml", "genesis.json", "key"):
                shutil.copy2(made / name / file, folder / name / file)
        subprocess.run([str(program), "cluster", "down", "--dir", str(made)], check=True, capture_output=True)
        self.processes: list[subprocess.Popen[bytes]] = []
        for i in range(NODES):
            home = folder / f"n{i}"
            settings = home / "creto.toml"
            text = settings.read_text(encoding="utf-8")
            # The shim's address of a node is its own and a hundred.
            text = re.sub(r"(127\.\d+\.\d+\.)1(\d\d)", lambda m: m[1] + str(int(m[2])), text)
            settings.write_text(text, encoding="utf-8")
            environment = dict(os.environ)
            if trace:
                environment["CRETO_LOG_TRACE"] = "trace.txt"
            with open(home / "stderr", "wb") as log:
                self.processes.append(
                    subprocess.Popen([str(program), "run", str(home)], env=environment, stdout=log, stderr=log)
                )
        self.await_all()

    def status(self, i: int) -> dict[str, object]:
        connection = http.client.HTTPConnection("127.0.0.1", self.ports[i], timeout=5)
        connection.request("GET", "/v1/status")
        return json.loads(connection.getresponse().read())

    def await_all(self) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                if all(self.status(i)["reachable"] == NODES for i in range(NODES)):
                    return
            except OSError:
                pass
            time.sleep(0.1)
        raise SystemExit("the nodes did not find each other within 60 s")

    def stop(self) -> None:
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            process.wait(timeout=30)


def body_of(batch: int) -> tuple[str, bytes, str]:
    """Path, body and type of one request."""
    if batch == 1:
        return "/v1/submit", json.dumps({"payload": "x" * PAYLOAD_BYTES}).encode(), "application/json"
    length = bytes([PAYLOAD_BYTES & 0x7F | 0x80, PAYLOAD_BYTES >> 7])
    return "/v1/submit-batch", (length + b"x" * PAYLOAD_BYTES) * batch, "application/octet-stream"


def load(cluster: Cluster, rate: float, seconds: float, batch: int) -> list[float]:
    """Milliseconds of each request, from when it was meant to be sent."""
    path, body, kind = body_of(batch)
    total = int(rate * seconds)
    begin = time.monotonic() + 0.2
    out: list[float] = []
    failed: list[str] = []
    lock = threading.Lock()
    numbers = iter(range(total))

    def client(which: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", cluster.ports[which % NODES], timeout=60)
        while True:
            with lock:
                number = next(numbers, None)
            if number is None or failed:
                return
            intended = begin + number / rate
            time.sleep(max(0.0, intended - time.monotonic()))
            connection.request("POST", path, body, {"Content-Type": kind})
            answer = connection.getresponse()
            text = answer.read()
            with lock:
                out.append((time.monotonic() - intended) * 1e3)
                if answer.status != 200:
                    failed.append(text.decode(errors="replace"))

    clients = [threading.Thread(target=client, args=(i,)) for i in range(CLIENTS)]
    for thread in clients:
        thread.start()
    for thread in clients:
        thread.join()
    if failed:
        raise SystemExit(failed[0])
    return sorted(out)


def grouped(report: str) -> dict[str, float]:
    shares: dict[str, float] = {}
    for line in report.splitlines():
        found = re.match(r"\s*([0-9.]+)%\s+(\S.*)$", line)
        if not found:
            continue
        group = next((name for name, pattern in GROUPS if re.search(pattern, found[2])), "protocol, and the rest")
        shares[group] = shares.get(group, 0.0) + float(found[1])
    return shares


def print_perf(file: Path) -> None:
    words = ["perf", "report", "-i", str(file), "--stdio", "--no-children", "-g", "none", "--sort", "dso,symbol"]
    report = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    for name, share in sorted(grouped(report).items(), key=lambda pair: -pair[1]):
        print(f"  {share:5.1f} %  {name}")
    lines = [line.strip() for line in report.splitlines() if re.match(r"\s*[0-9.]+%", line)]
    print("  the first:")
    for line in lines[:25]:
        print("   ", line[:120])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=Path)
    parser.add_argument("dir", type=Path)
    parser.add_argument("--rate", type=float, default=40)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--watch", choices=("none", "trace", "perf", "strace"), default="none")
    given = parser.parse_args()
    program, folder = given.program.resolve(), given.dir.resolve()
    cluster = Cluster(program, folder, given.watch == "trace")
    try:
        load(cluster, given.rate, 2, given.batch)  # Connections, caches, allocated logs.
        pids = [process.pid for process in cluster.processes]
        watched = str(pids[WATCHED])
        watcher: subprocess.Popen[bytes] | None = None
        if given.watch == "perf":
            words = ["perf", "record", "-q", "-F", "997", "-p", watched, "-o", str(folder / "perf.data")]
            watcher = subprocess.Popen(words)
        if given.watch == "strace":
            calls = "trace=fdatasync,fsync,sync_file_range"
            words = ["strace", "-f", "-c", "-e", calls, "-p", watched, "-o", str(folder / "strace.txt")]
            watcher = subprocess.Popen(words, stderr=subprocess.DEVNULL)
        time.sleep(1 if watcher else 0)
        height = cluster.status(WATCHED)["finalized"]
        clock, machine, own = time.monotonic(), machine_s(), [cpu_s(pid) for pid in pids]
        ms = load(cluster, given.rate, given.seconds, given.batch)
        spent = time.monotonic() - clock
        nodes = [cpu_s(pid) - before for pid, before in zip(pids, own)]
        others = machine_s() - machine - sum(nodes) - time.process_time()
        heights = int(str(cluster.status(WATCHED)["finalized"])) - int(str(height))
        if watcher:
            watcher.send_signal(signal.SIGINT)
            watcher.wait(timeout=30)
    finally:
        cluster.stop()
    operations = len(ms) * given.batch
    print(f"{len(ms)} requests of {given.batch} in {spent:.1f} s; {heights} blocks")
    print(f"  median {statistics.median(ms):.2f} ms, p95 {ms[len(ms) * 95 // 100]:.2f} ms")
    print(f"  CPU of node {WATCHED}: {nodes[WATCHED] / spent:.3f} cores, {nodes[WATCHED] * 1e6 / operations:.1f} us an operation")
    print(f"  other processes: {max(0.0, others) / spent:.2f} cores; load average {os.getloadavg()[0]:.2f}", flush=True)
    if given.watch == "trace":
        traces = [str(folder / f"n{i}" / "trace.txt") for i in range(NODES)]
        subprocess.run([sys.executable, str(Path(__file__).with_name("timeline.py")), *traces], check=True)
    if given.watch == "perf":
        print_perf(folder / "perf.data")
    if given.watch == "strace":
        text = (folder / "strace.txt").read_text(encoding="utf-8")
        calls_made = int(re.search(r"^\s*100\.00\s+\S+\s+\S+\s+(\d+)\s.*total$", text, re.M)[1])
        print(text.rstrip())
        a_block, a_second = calls_made / heights, calls_made / spent
        print(f"  {calls_made} syncs of node {WATCHED}: {calls_made / len(ms):.2f} a request, {a_block:.2f} a block, {a_second:.1f} a second")


if __name__ == "__main__":
    main()
