"""figures: what bench/base.json says: the base, the runs, and the figures that are read from them.

A run is a command; several figures come from one run. Each has a name of its own, `RUN/METRIC`. The file
is written by people, but for its head, which `--record` writes.
"""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path

from check.paired import Rule

SETS = ("quick", "normal", "long")  # Each has those before it.
COMMIT = re.compile(r"[0-9a-f]{40}")


class Refused(Exception):
    """What the user has to change, in words: what, where and what to do."""


@dataclass(frozen=True)
class Figure:
    name: str  # RUN/METRIC
    run: str
    metric: str
    unit: str
    time: str  # "virtual": the same in every run. "real": of this machine, in this minute.
    rule: Rule


@dataclass(frozen=True)
class Run:
    name: str
    size: str  # One of SETS.
    about_s: float  # What it takes once, for the first guess of the time left.
    covers: tuple[str, ...]  # The scenarios of the catalogue that it stands for.
    scenario: str = ""  # `creto scale run`
    smoke: bool = False
    nodes: int = 0
    program: str = ""  # creto_bench_sim, or a program of Google Benchmark
    arguments: tuple[str, ...] = ()
    benchmark: str = ""  # Which benchmarks of it, as a regular expression.
    best_of: int = 1  # So many executions are one turn: what else runs can only add to a time.
    figures: tuple[Figure, ...] = ()

    @property
    def needs(self) -> str:
        return self.program or "creto"

    @property
    def is_exact(self) -> bool:
        return all(figure.time == "virtual" for figure in self.figures)


@dataclass
class Plan:
    commit: str
    recorded: str
    why: str
    runs: list[Run] = field(default_factory=list)

    @property
    def figures(self) -> list[Figure]:
        return [figure for run in self.runs for figure in run.figures]


def read_plan(path: Path) -> Plan:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Refused(f"cannot read {path}: {error.strerror}; it is part of the repository") from error
    except json.JSONDecodeError as error:
        raise Refused(f"{path}:{error.lineno}: not JSON: {error.msg}") from error
    try:
        return plan_of(document)
    except KeyError as error:
        raise Refused(f"{path}: {error.args[0]!r} is missing") from error
    except (TypeError, AttributeError, ValueError) as error:
        raise Refused(f"{path}: {error}") from error


def plan_of(document: dict) -> Plan:
    if not COMMIT.fullmatch(document["commit"]):
        raise ValueError(f"commit {document['commit']!r} is not 40 hex digits; `make bench-check-base` writes it")
    plan = Plan(document["commit"], document["recorded"], document["why"])
    figures = [figure_of(entry) for entry in document["figures"]]
    for entry in document["runs"]:
        own = tuple(figure for figure in figures if figure.run == entry["name"])
        if not own:
            raise ValueError(f"run {entry['name']!r} has no figure")
        plan.runs.append(run_of(entry, own))
    known = [run.name for run in plan.runs]
    for figure in figures:
        if figure.run not in known:
            raise ValueError(f"figure {figure.name!r} is of no run; runs are {', '.join(known)}")
    for names in ([f.name for f in figures], known):
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"{name!r} stands there twice")
    return plan


def figure_of(entry: dict) -> Figure:
    name = entry["name"]
    run, _, metric = name.partition("/")
    if not metric:
        raise ValueError(f"figure {name!r} is not called RUN/METRIC")
    for key, values in (("good", ("low", "high")), ("time", ("virtual", "real"))):
        if entry[key] not in values:
            raise ValueError(f"figure {name!r}: {key} is {' or '.join(values)}, not {entry[key]!r}")
    tolerance = entry["tolerance"]
    if not isinstance(tolerance, (int, float)) or not 0 < tolerance:
        raise ValueError(f"figure {name!r}: tolerance is above 0, such as 0.1 for 10 %, not {tolerance!r}")
    rule = Rule(entry["good"], float(tolerance), bool(entry.get("absolute", False)))
    return Figure(name, run, metric, entry["unit"], entry["time"], rule)


def run_of(entry: dict, figures: tuple[Figure, ...]) -> Run:
    name = entry["name"]
    if ("scenario" in entry) == ("program" in entry):
        raise ValueError(f"run {name!r} has either a scenario or a program")
    if entry["size"] not in SETS:
        raise ValueError(f"run {name!r}: size is one of {', '.join(SETS)}, not {entry['size']!r}")
    return Run(
        name,
        entry["size"],
        float(entry["about_s"]),
        tuple(entry["covers"]),
        entry.get("scenario", ""),
        bool(entry.get("smoke", False)),
        int(entry.get("nodes", 0)),
        entry.get("program", ""),
        tuple(entry.get("arguments", ())),
        entry.get("benchmark", ""),
        int(entry.get("best_of", 1)),
        figures,
    )


def chosen(plan: Plan, size: str, only: list[str]) -> list[Run]:
    """The runs of a size; or those that are named, by figure, run or scenario, with the named figures."""
    if not only:
        return [run for run in plan.runs if SETS.index(run.size) <= SETS.index(size)]
    names = set()
    for run in plan.runs:
        names |= {run.name, *run.covers, *(figure.name for figure in run.figures)}
        names |= {figure.metric for figure in run.figures}
    for name in only:
        if name not in names:
            near = difflib.get_close_matches(name, sorted(names), 1, 0.5)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise Refused(f"there is no figure, run or scenario {name!r}{hint} `tools/bench_check.py --list` shows all")
    out = []
    for run in plan.runs:
        is_whole = run.name in only or any(name in only for name in run.covers)
        own = tuple(f for f in run.figures if is_whole or f.name in only or f.metric in only)
        # Runs that take hours are not meant by the name of a scenario, if another run stands for it, too.
        if own and not (run.size == "long" and size != "long" and run.name not in only):
            out.append(Run(**{**run.__dict__, "figures": own}))
    if not out:
        raise Refused(f"{', '.join(only)}: only a long run has it; add --long, or name the run itself")
    return out


def with_head(text: str, commit: str, recorded: str, why: str) -> str:
    """bench/base.json with another head; runs and figures keep their lines."""
    document = json.loads(text)
    document |= {"commit": commit, "recorded": recorded, "why": why}
    lines = [f" {json.dumps(key)}: {json.dumps(value)}" for key, value in document.items() if not isinstance(value, list)]
    for key, rows in document.items():
        if isinstance(rows, list):
            lines.append(f" {json.dumps(key)}: [\n  " + ",\n  ".join(json.dumps(row) for row in rows) + "\n ]")
    return "{\n" + ",\n".join(lines) + "\n}\n"
