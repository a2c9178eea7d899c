#!/usr/bin/env python3
"""bench_check: is anything slower than the recorded base, by more than the tolerance? (docs/scale.md)

The base is a commit that bench/base.json names. It is built beside this tree, and both run in turn, pair
by pair, until the interval of each figure's change lies within or outside of the tolerance. Figures of
virtual time are exact, and run once. The report is build/bench-check/report.md, and report.json.
"""

from __future__ import annotations

import argparse
import datetime
import errno
import fcntl
import os
import platform
import shlex
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "bench"))

from check import figures, paired, report, stop, trees  # noqa: E402
from check.contest import Contest  # noqa: E402
from check.figures import Refused  # noqa: E402
from check.runner import Build, Runner  # noqa: E402

USAGE = 2
TIMEOUT_S = 1_800.0
TIMEOUT_LONG_S = 172_800.0
EXAMPLES = """examples:
  make bench-check                                  all but what takes hours
  make bench-check ARGS=--quick                     minutes: functions, ten and 31 simulated nodes
  make bench-check ARGS="--only vertex_id_ns"       a figure, a run, or a scenario of the catalogue
  make bench-check ARGS="--base HEAD~1 --quick"     against another commit
  make bench-check-base WHY="votes are joined"      HEAD is the base from now on; commit bench/base.json
  tools/bench_check.py --list                       all figures, with their tolerances
  tools/bench_check.py --builds old/build/release build/release --quick

exit code: 0 nothing is worse, 1 a regression, 2 wrong words or something could not be measured,
3 something stayed unclear, or the check was stopped"""


class Teller:
    """Progress on stderr: one line on a terminal, else a line now and then."""

    def __init__(self) -> None:
        self.is_terminal = sys.stderr.isatty()
        self.told = 0.0

    def __call__(self, text: str) -> None:
        now = time.monotonic()
        if now - self.told < (0.2 if self.is_terminal else 10.0):
            return
        self.told = now
        print(f"\r\033[K{text}" if self.is_terminal else text, end="" if self.is_terminal else "\n", file=sys.stderr, flush=True)

    def end(self) -> None:
        if self.is_terminal:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
        self.told = 0.0


def arguments(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tools/bench_check.py", description=__doc__, epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False,
    )
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="few figures, at most 12 pairs: minutes")
    size.add_argument("--long", action="store_true", help="also what takes hours: 1,000 nodes, an hour of 100 nodes")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="a figure, run or scenario; may be repeated")
    parser.add_argument("--base", metavar="COMMIT", help="in place of the recorded one")
    parser.add_argument("--builds", nargs=2, metavar=("BASE", "NOW"), help="folders with built programs; nothing is built")
    parser.add_argument("--seed", type=int, default=1, help="of the simulated networks (default 1)")
    parser.add_argument("--json", metavar="FILE", help="the report as one document also there")
    parser.add_argument("--report", metavar="FILE", help="the report as Markdown also there")
    parser.add_argument("--list", action="store_true", help="show the figures, and measure nothing")
    parser.add_argument("--record", action="store_true", help="make HEAD the base, and measure nothing; needs --why")
    parser.add_argument("--why", help="what the new base is, or why it is worse: a sentence for bench/base.json")
    parser.add_argument("--root", type=Path, default=ROOT, help=argparse.SUPPRESS)
    options = parser.parse_args(words)
    if options.record and not (options.why and options.why.strip()):
        parser.error('--record needs --why "a sentence": a base that moves silently hides what it should show')
    if options.why is not None and not options.record:
        parser.error("--why goes with --record")
    if options.builds and options.base:
        parser.error("--builds names both sides; --base has nothing to say there")
    if options.seed < 0:
        parser.error(f"--seed is 0 or more, not {options.seed}")
    return options


def record(root: Path, why: str) -> int:
    path = root / "bench" / "base.json"
    figures.read_plan(path)
    commit, has_changes = trees.head_of(root)
    text = path.read_text(encoding="utf-8")
    report.write(path, figures.with_head(text, commit, f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}", why.strip()))
    print(f"the base is {commit[:12]} now: commit {path.relative_to(root)}, and keep that commit reachable from main")
    if has_changes:
        print("what is not committed is not part of it")
    return 0


def show(plan: figures.Plan) -> int:
    print(f"base {plan.commit[:12]}, recorded {plan.recorded}: {plan.why}")
    width = max(len(figure.name) for figure in plan.figures)
    for run in plan.runs:
        print(f"\n{run.name} ({run.size}; {', '.join(run.covers) or 'of no scenario'})")
        for figure in run.figures:
            row = {"tolerance": figure.rule.tolerance, "absolute": figure.rule.is_absolute, "unit": figure.unit, "good": figure.rule.good}
            print(f"  {figure.name:<{width}}  {figure.time:<7}  {report.tolerance_text(row)}")
    return 0


def load_average() -> str:
    return f"{os.getloadavg()[0]:.1f}"


def utc() -> str:
    return f"{datetime.datetime.now(datetime.UTC):%Y-%m-%dT%H:%M:%SZ}"


def machine() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        model = platform.machine()
    return f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.release()}"


class Check:
    def __init__(self, options: argparse.Namespace, plan: figures.Plan, words: list[str]) -> None:
        self.options = options
        self.root = options.root.resolve()
        self.work = self.root / "build" / "bench-check"
        size = "quick" if options.quick else "long" if options.long else "normal"
        self.runs = figures.chosen(plan, size, options.only)
        self.looks = paired.LOOKS_QUICK if options.quick else paired.LOOKS_FULL
        self.plan = plan
        self.tell = Teller()
        self.contest: Contest | None = None
        self.unwritten = ""
        self.document: dict = {
            "schema_version": 1, "status": "PARTIAL", "complete": False, "machine": machine(), "begun": utc(), "ended": "",
            "load_begin": load_average(), "load_end": "", "seed": options.seed, "looks": self.looks,
            "error": paired.error_of(self.looks), "command": shlex.join(["tools/bench_check.py", *words]),
        }

    def builds(self) -> dict[str, Build]:
        if self.options.builds:
            folders = {side: Path(name).resolve() for side, name in zip(("base", "now"), self.options.builds)}
            for side, folder in folders.items():
                if not folder.is_dir():
                    raise Refused(f"--builds: {folder} is no folder; name one with built programs, such as build/release")
                self.document[side] = {"commit": "", "folder": str(folder), "changes": False, "why": "", "recorded": ""}
            return {side: Build(side, folder) for side, folder in folders.items()}
        named = self.options.base
        commit = trees.commit_of(self.root, named or self.plan.commit)
        head, has_changes = trees.head_of(self.root)
        recorded = not named or commit == self.plan.commit
        self.document["base"] = {
            "commit": commit, "changes": False, "why": self.plan.why if recorded else "",
            "recorded": self.plan.recorded if recorded else "",
        }
        self.document["now"] = {"commit": head, "changes": has_changes}
        wanted = sorted({run.needs for run in self.runs})
        out = {}
        for side, tree in (("base", trees.take_out(self.root, commit, self.work)), ("now", self.root)):
            log = self.work / f"build-{side}.log"
            folder = trees.build(tree, wanted, log, lambda at, side=side: self.tell(f"building {side}: {at}"))
            out[side] = Build(side, folder)
        self.tell.end()
        return out

    def run(self) -> int:
        self.work.mkdir(parents=True, exist_ok=True)
        with (self.work / "lock").open("w", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Refused(f"another check runs in {self.root}: wait for it, or end it") from error
            return self.run_alone()

    def run_alone(self) -> int:
        builds = self.builds()
        place = self.work / "run"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        timeout_s = TIMEOUT_LONG_S if any(run.size == "long" for run in self.runs) else TIMEOUT_S
        runner = Runner(place, self.root / "scenarios", self.options.seed, timeout_s)
        self.contest = Contest(self.runs, builds, runner, self.looks, self.tell, self.keep)
        is_complete = False
        try:
            self.contest.carry_out()
            is_complete = True
        except KeyboardInterrupt:
            self.tell.end()
            print("stopped: what was measured is kept, and marked PARTIAL", file=sys.stderr)
        finally:
            shutil.rmtree(place, ignore_errors=True)
        self.tell.end()
        return self.end(is_complete)

    def fill(self, is_complete: bool) -> int:
        rows = self.contest.rows()
        verdicts = [row["verdict"] for row in rows]
        code = paired.exit_code(verdicts, is_complete)
        self.document |= {
            "status": report.STATUS[code] if is_complete or code == 1 else "PARTIAL", "complete": is_complete,
            "ended": utc(), "load_end": load_average(), "figures": rows, "notes": self.contest.notes(),
            "counts": {verdict: verdicts.count(verdict) for verdict in report.ORDER if verdict in verdicts},
        }
        return code

    def keep(self) -> None:
        """So that also a run that is killed leaves what it had."""
        self.fill(False)
        self.write({self.work / "report.md": report.markdown, self.work / "report.json": report.json_text})

    def write(self, wanted: dict[Path, Callable[[dict], str]]) -> bool:
        """What cannot be written is said once; the measuring goes on."""
        failures = []
        for path, text_of in wanted.items():
            try:
                report.write(path, text_of(self.document))
            except Refused as refused:
                failures.append(f"bench-check: {refused}")
        if failures and failures[0] != self.unwritten:
            self.tell.end()
            print("\n".join(failures), file=sys.stderr)
        self.unwritten = failures[0] if failures else ""
        return not failures

    def end(self, is_complete: bool) -> int:
        code = self.fill(is_complete)
        print(report.table(self.document), end="", flush=True)
        wanted = {self.work / "report.md": report.markdown, self.work / "report.json": report.json_text}
        if self.options.json:
            wanted[Path(self.options.json)] = report.json_text
        if self.options.report:
            wanted[Path(self.options.report)] = report.markdown
        if not self.write(wanted):
            return code or USAGE
        print(f"report: {self.work / 'report.md'}", file=sys.stderr)
        return code


def main(words: list[str]) -> int:
    options = arguments(words)
    stop.listen()
    try:
        if options.record:
            return record(options.root.resolve(), options.why)
        plan = figures.read_plan(options.root / "bench" / "base.json")
        return show(plan) if options.list else Check(options, plan, words).run()
    except Refused as refused:
        print(f"bench-check: {refused}", file=sys.stderr)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            print(f"bench-check: the disk of {error.filename or 'build/'} is full: make room", file=sys.stderr)
        else:
            print(f"bench-check: {error.filename or 'a file'}: {error.strerror}", file=sys.stderr)
    except KeyboardInterrupt:
        print("bench-check: stopped before anything was measured", file=sys.stderr)
        return 3
    return USAGE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
