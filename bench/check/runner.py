"""runner: carries out one run on one build, and reads the figures from what it prints.

Lacks      the build does not have the run or the figure: of the base that is no fault.
RunFailed  it has, and it did not work: with the command, so that one can see for oneself.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import statistics
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from check import stop
from check.figures import Run

NS_OF = {"ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9}
USAGE = 2  # What `creto` answers to words, or a scenario file, that it does not know.
JUDGED = (0, 1, 3)  # PASSED, FAILED and PARTIAL: each has measured.
TAIL_CHARACTERS = 400


class Lacks(Exception):
    pass


class RunFailed(Exception):
    pass


@dataclass
class Measured:
    values: dict[str, float | None]
    facts: dict[str, str] = field(default_factory=dict)  # Status, trace and cost table of a scenario.


@dataclass(frozen=True)
class Build:
    """The programs of one side."""

    side: str  # "base" or "now"
    folder: Path


class Runner:
    def __init__(self, work: Path, scenarios: Path, seed: int, timeout_s: float) -> None:
        self.work = work  # Where the programs run, and put what they need for themselves.
        self.scenarios = scenarios
        self.seed = seed
        self.timeout_s = timeout_s

    def command(self, run: Run, build: Build) -> list[str]:
        program = [str(build.folder / run.needs)]
        if run.scenario:
            words = ["scale", "run", run.scenario, "--json", "--seed", str(self.seed)]
            words += ["--smoke"] if run.smoke else []
            words += ["--nodes", str(run.nodes)] if run.nodes else []
            return program + words + ["--scenarios", str(self.folder_of(run))]
        if run.benchmark:
            words = [f"--benchmark_filter={run.benchmark}", "--benchmark_format=json", "--benchmark_min_time=0.1"]
            return program + words + list(run.arguments)
        return program + list(run.arguments)

    def folder_of(self, run: Run) -> Path:
        """With this one scenario: both sides run the file of now, whatever is in their binaries."""
        folder = self.work / "scenarios" / run.scenario
        folder.mkdir(parents=True, exist_ok=True)
        text = (self.scenarios / f"{run.scenario}.toml").read_bytes()
        (folder / f"{run.scenario}.toml").write_bytes(text)
        return folder

    def once(self, run: Run, build: Build) -> Measured:
        if not (build.folder / run.needs).exists():
            raise Lacks(f"{build.side} has no program {run.needs}")
        command = self.command(run, build)
        code, out, err = self.carry_out(command)
        shown = f"`{shlex.join(command)}`"
        if run.scenario and code == USAGE:
            raise Lacks(f"{build.side} does not know it: {last_line(err) or 'exit code 2'}")
        if code not in (JUDGED if run.scenario else (0,)):
            if run.benchmark and "Failed to match any benchmarks" in err:
                raise Lacks(f"{build.side} has no benchmark {run.benchmark}")
            died = f"was ended by signal {-code}" if code < 0 else f"ended with {code}"
            raise RunFailed(f"{build.side}: {shown} {died}: {err.strip()[-TAIL_CHARACTERS:] or 'it said nothing'}")
        if run.benchmark and "Failed to match any benchmarks" in err + out:
            raise Lacks(f"{build.side} has no benchmark {run.benchmark}")
        try:
            document = json.loads(out)
            if run.scenario:
                return of_scenario(document)
            return of_benchmark(document) if run.benchmark else of_program(document)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise RunFailed(f"{build.side}: {shown} printed no result: {out.strip()[:80]!r} ({error!r})") from error

    def carry_out(self, command: list[str]) -> tuple[int, str, str]:
        temporary = self.work / "tmp"
        temporary.mkdir(parents=True, exist_ok=True)
        environment = {**os.environ, "TMPDIR": str(temporary), "LC_ALL": "C"}
        options = {"cwd": self.work, "env": environment, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        try:
            with stop.started(command, signal.SIGKILL, text=True, errors="replace", **options) as child:
                out, err = child.communicate(timeout=self.timeout_s)
        except subprocess.TimeoutExpired as error:
            raise RunFailed(f"`{shlex.join(command)}` has not ended after {self.timeout_s:.0f} s") from error
        except OSError as error:
            raise RunFailed(f"cannot start `{shlex.join(command)}`: {error.strerror}") from error
        return child.returncode, out, err


def last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else ""


def number(value: object) -> float | None:
    """None for null: not measured, or never."""
    return None if value is None else float(value)


def of_scenario(document: dict) -> Measured:
    """`creto scale run NAME --json`; the metrics of a variant are called VARIANT:METRIC."""
    details = document["details"]
    if "not_run" in details:
        raise ValueError(f"not run: {details['not_run']}")
    values = {name: number(value) for name, value in details["metrics"].items()}
    for variant in details.get("variants", []):
        values |= {f"{variant['variant']}:{name}": number(value) for name, value in variant["metrics"].items()}
    facts = {"status": document["status"]}
    for fact, value in (
        ("trace", document.get("trace_hash")),
        ("cost table", document["configuration"].get("cost_table")),
    ):
        if value:
            facts[fact] = value
    failed = [name for name, one in document["acceptance_criteria"].items() if one["passed"] is False]
    if failed:
        facts["missed"] = ", ".join(failed)
    return Measured(values, facts)


def of_program(document: dict) -> Measured:
    """creto_bench_sim: each figure with its unit and the values of some seeds."""
    return Measured({name: statistics.median(one["values"]) for name, one in (document or {}).items()})


def of_benchmark(document: dict) -> Measured:
    """Google Benchmark: the processor's time for what only computes, the clock's with `real_time`."""
    values = {}
    for entry in document["benchmarks"]:
        if entry.get("run_type") == "aggregate":
            continue
        if entry.get("error_occurred"):
            raise ValueError(entry.get("error_message", "the benchmark failed"))
        parts = entry["run_name"].split("/")
        kept = [part for part in parts if not re.match(r"iterations:|repeats:|real_time|min_time:", part)]
        time = entry["real_time"] if "real_time" in parts else entry["cpu_time"]
        values["/".join(kept)] = time * NS_OF[entry["time_unit"]]
    return Measured(values)
