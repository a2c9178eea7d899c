#!/usr/bin/env python3
"""Where the time of one write goes: merges the traces of several nodes (setting log.trace).

usage: timeline.py TRACE... [--write N]

Without --write: medians of the steps over all writes. With it: the lines of all nodes while the N-th write
was under way, in microseconds since its command.
"""

import statistics
import sys


def read(path, node):
    out = []
    with open(path, encoding="ascii") as file:
        for line in file:
            at, what, *rest = line.split(" ", 2)
            out.append((int(at), node, what, rest[0].strip() if rest else ""))
    return out


def main(arguments):
    write = None
    if "--write" in arguments:
        place = arguments.index("--write")
        write = int(arguments[place + 1])
        del arguments[place : place + 2]
    lines = sorted(line for node, path in enumerate(arguments) for line in read(path, node))
    begun = {}
    writes = []
    steps = {}

    def step(name, ns):
        steps.setdefault(name, []).append(ns / 1e3)

    asked, disk, persisted = {}, {}, {}
    for at, node, what, detail in lines:
        if what == "command":
            begun[node, detail] = at
        elif what == "reply" and (node, detail) in begun:
            writes.append((begun.pop((node, detail)), at, node))
        elif what == "persist" and "durable" in detail:
            asked[node, detail.split()[0]] = at
        elif what == "disk" and detail.startswith("begins"):
            disk[node] = at
            ticket = detail.split()[1]
            if (node, ticket) in asked:
                step("asked to write until the disk thread begins", at - asked[node, ticket])
        elif what == "disk":
            step("the disk thread writes and syncs", at - disk[node])
            persisted[node, detail.split()[1]] = at
        elif what == "persisted" and (node, detail) in persisted:
            step("synced until the node hears of it", at - persisted[node, detail])
    events = {}
    for at, node, what, detail in lines:
        events.setdefault(node, []).append((at, what, detail))
    for begin, end, node in writes:
        if end - begin <= 500_000:
            continue
        # What its own node saw of it: its vertex on the disk, the block's proposal, its notarization.
        own = [line for line in events[node] if begin <= line[0] <= end]
        ticket = next((d.split()[0] for _, what, d in own if what == "persist"), None)
        durable = next((at for at, what, d in own if what == "persisted" and d == ticket), None)
        voted = [(at, d.split()[3]) for at, what, d in own if what == "send" and d.startswith("vote finalize")]
        if durable is None or not voted:
            continue
        view = voted[-1][1]
        notarized = next(at for at, of in voted if of == view)
        proposed = [at for at, _, d in own if d.startswith(f"proposal view {view} ")]
        if not proposed or not durable <= proposed[0] <= notarized:
            continue
        step("a write, until its vertex is durable", durable - begin)
        step("  then until a block with it is proposed", proposed[0] - durable)
        step("  then until a quorum has notarized it", notarized - proposed[0])
        step("  then until a quorum has finalized it, and it is answered", end - notarized)
    long = [(a, b, n) for a, b, n in writes if b - a > 500_000]
    if write is not None:
        begin, end, origin = long[write]
        print(f"write at node {origin}: {(end - begin) / 1e3:.0f} us")
        for at, node, what, detail in lines:
            if begin <= at <= end:
                print(f"{(at - begin) / 1e3:9.1f}  {'  ' * node * 2}{node} {what} {detail}"[:150])
        return
    print(f"{len(long)} writes, median {statistics.median([(b - a) / 1e3 for a, b, _ in long]):.0f} us")
    for name, values in steps.items():
        values.sort()
        print(f"{name}: {len(values)} x, median {statistics.median(values):.0f} us, p95 {values[len(values) * 95 // 100]:.0f} us")


if __name__ == "__main__":
    main(sys.argv[1:])
