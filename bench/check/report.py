"""report: what was found, as a document, as Markdown, and as a table for a terminal.

The document is the whole of it; the two others are drawn from it. Until the check has ended, and when
it was stopped, `complete` is false and both say PARTIAL.
"""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

from check import paired
from check.figures import Refused
from check.paired import Finding

STATUS = {0: "PASSED", 1: "FAILED", 2: "FAILED", 3: "PARTIAL"}
ORDER = (paired.WORSE, paired.FAILED, paired.UNCLEAR, paired.OPEN, paired.BETTER, paired.NO_WORSE, paired.SAME, paired.NEW)
MEANS = {
    paired.SAME: "the interval lies within the tolerance",
    paired.BETTER: "the whole interval lies outside of the tolerance, on the good side",
    paired.WORSE: "the whole interval lies outside of the tolerance, on the bad side: a regression",
    paired.NO_WORSE: "no regression; whether it is `same` or `better` stayed open",
    paired.UNCLEAR: "after all repetitions the interval still reaches over the limit: neither a pass nor a regression",
    paired.OPEN: "the check was stopped before it was decided",
    paired.NEW: "the base does not have it",
    paired.FAILED: "it could not be measured",
}


def finite(value: float | None) -> float | None:
    return value if value is None or math.isfinite(value) else None


def figure_row(figure, finding: Finding, values: tuple[float | None, float | None], reason: str) -> dict:
    return {
        "name": figure.name,
        "unit": figure.unit,
        "time": figure.time,
        "good": figure.rule.good,
        "tolerance": figure.rule.tolerance,
        "absolute": figure.rule.is_absolute,
        "base": finite(values[0]),
        "now": finite(values[1]),
        "change": finite(finding.change),
        "interval": [finite(finding.low), finite(finding.high)],
        "pairs": finding.pairs,
        "verdict": finding.verdict,
        "reason": reason,
    }


def value_text(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    for small, large in (("ns", "us"), ("us", "ms"), ("ms", "s")):
        if unit == small and abs(value) >= 1e3:
            value, unit = value / 1e3, large
    shown = f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.4g}"
    return f"{shown} {unit}".rstrip()


def change_text(row: dict, value: float | None) -> str:
    if value is None:
        return "-"
    if row["absolute"]:
        return f"{value:+.3g} {row['unit']}"
    return f"{value * 100:+.1f} %"


def interval_text(row: dict) -> str:
    low, high = row["interval"]
    if low is None or high is None:
        return "-"
    if row["time"] == "virtual":
        return "exact"
    return f"{change_text(row, low)} to {change_text(row, high)}"


def tolerance_text(row: dict) -> str:
    amount = f"{row['tolerance']:g} {row['unit']}" if row["absolute"] else f"{row['tolerance'] * 100:g} %"
    return f"{amount}, {row['good']} is good"


def counts_text(document: dict) -> str:
    counts = document["counts"]
    return ", ".join(f"{counts[verdict]} {verdict}" for verdict in ORDER if counts.get(verdict)) or "nothing measured"


def cells(row: dict) -> list[str]:
    return [
        row["name"],
        value_text(row["base"], row["unit"]),
        value_text(row["now"], row["unit"]),
        change_text(row, row["change"]),
        interval_text(row),
        str(row["pairs"]) if row["pairs"] else "-",
        row["verdict"],
    ]


HEAD = ["figure", "base", "now", "change", "interval", "pairs", "verdict"]


def table(document: dict) -> str:
    rows = [HEAD, *(cells(row) for row in document["figures"])]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    lines += [f"{row['name']}: {row['reason']}" for row in document["figures"] if row["reason"]]
    lines += document["notes"]
    return "\n".join([*lines, f"{document['status']}: {counts_text(document)}"]) + "\n"


def side_text(side: dict) -> str:
    commit = side["commit"][:12] if side["commit"] else side["folder"]
    return commit + (", with changes" if side.get("changes") else "")


def markdown(document: dict) -> str:
    partial = "" if document["complete"] else " (PARTIAL)"
    base, now = document["base"], document["now"]
    lines = [f"# Now against the base{partial}", ""]
    if not document["complete"]:
        lines += ["**PARTIAL**: the check was stopped, or is still running. What stands here was measured.", ""]
    lines += [
        f"**{document['status']}**: {counts_text(document)}.",
        "",
        f"- Base: {side_text(base)}" + (f", recorded {base['recorded']}: {base['why']}" if base["why"] else ""),
        f"- Now: {side_text(now)}",
        f"- Machine: {document['machine']}; load average {document['load_begin']} before, {document['load_end']} after",
        f"- From {document['begun']} to {document['ended']}, seed {document['seed']}",
        f"- Again: `{document['command']}`",
        "",
        "| figure | base | now | change | interval | pairs | tolerance | verdict |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in document["figures"]:
        verdict = f"**{row['verdict']}**" if row["verdict"] in (paired.WORSE, paired.FAILED) else row["verdict"]
        shown = [*cells(row)[:-1], tolerance_text(row), verdict]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in shown) + " |")
    reasons = [f"- `{row['name']}`: {row['reason']}" for row in document["figures"] if row["reason"]]
    reasons += [f"- {note}" for note in document["notes"]]
    lines += ["", "## Notes", "", *reasons] if reasons else []
    looks = ", ".join(f"{pairs} ({k})" for pairs, k in document["looks"])
    lines += ["", "## How to read it", ""]
    present = {row["verdict"] for row in document["figures"]}
    lines += [f"- `{verdict}`: {MEANS[verdict]}." for verdict in ORDER if verdict in present and verdict in MEANS]
    lines += [
        "- Base and now are medians of their runs; the change is the median of the changes within pairs, which cancels what the",
        "  machine did meanwhile, so that it need not be the quotient of the two.",
        f"- The interval goes from the k-th least to the k-th greatest of n changes, and is looked at when n (k) is {looks};",
        f"  all looks of a figure together miss its median in at most {document['error'] * 100:.1f} % of all cases.",
        "- \"exact\" is virtual time: the same in each run of this seed.",
    ]
    return "\n".join(lines) + "\n"


def write(path: Path, text: str) -> None:
    """Whole or not at all, where that can be. Errors: Refused."""
    try:
        if path.exists() and not path.is_file():
            path.write_text(text, encoding="utf-8")  # A device or a pipe.
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_name(path.name + ".half")
        try:
            half.write_text(text, encoding="utf-8")
            os.replace(half, path)
        except OSError:
            half.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise Refused(f"cannot write {path}: {error.strerror}; make room, or name another place") from error


def json_text(document: dict) -> str:
    return json.dumps(document, indent=1, allow_nan=False) + "\n"
