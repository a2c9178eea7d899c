#!/usr/bin/env python3
"""mutants: plants one bug at a time in the ordering core and asks which checker notices.

    tools/mutants.py [--only REGEX] [--every] [--checker NAME ...] [--jobs N] [--seconds N]
    tools/mutants.py --demo [--scenario ID ...]
    tools/mutants.py --list

The bugs are in tools/mutants/*.toml, one or more for each rule of docs/spec/ordering.md. The tree is
copied to build/mutants/tree and built in build/mutants/build; your own files are never touched. The
checkers run from the cheapest to the dearest, until one fails or, with --every, all of them. A
checker that hangs or crashes has noticed, too. Exit code 1: a mutant survived, a mutation did not
apply exactly once, a rule of the specification has none, or the unchanged tree does not pass.

--demo plants the bugs marked `demo` and requires that `creto demo` and `creto sim run` both exit with
something else than 0, in the scenarios that are named (the others wait in vain, too, for minutes).
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "build" / "mutants"
TREE = WORK / "tree"
BUILD = WORK / "build"
COPIED = ("CMakeLists.txt", "cmake", "src", "apps", "tests", "tools", "docs", "fuzz")
TAG = re.compile(r"\[(ORD-[A-Z0-9]+\.[0-9]+)\]")


@dataclass(frozen=True)
class Checker:
    name: str
    target: str
    command: list[str]
    failed: str  # What the line that says why looks like.
    timeout: int = 90


def checkers(seconds: int, names: list[str]) -> list[Checker]:
    """Those that are named, or all, the cheapest first."""
    found = [
        Checker("rosters", "rosters", [str(BUILD / "rosters"), "--seconds", "10"], r"VIOLATION\n\s*(.*)"),
        Checker("crash", "test_crash_points", [str(BUILD / "test_crash_points"), "--gtest_brief=1"],
                r"\[  FAILED  \] (\S+)"),
        Checker("twins", "twins", [str(BUILD / "twins"), "--cases", "4000"], r"VIOLATION\s*(.*)"),
        Checker("unit", "test_order", [str(BUILD / "test_order"), "--gtest_brief=1"], r"\[  FAILED  \] (\S+)"),
        Checker("state", "test_state", [str(BUILD / "test_state"), "--gtest_brief=1"], r"\[  FAILED  \] (\S+)"),
        Checker("epochs", "epochs", [str(BUILD / "epochs"), "--seconds", str(seconds)], r"VIOLATION\n\s*(.*)"),
        Checker("model", "model", [str(BUILD / "model"), "--seconds", str(seconds)], r"VIOLATION\n\s*(.*)"),
    ]
    command = [str(BUILD / "creto"), "sim", "run", "--seeds", "3"]
    found.append(Checker("sim", "creto", command, r"FAILED (.*)|(S\d\.\d .*)"))
    return [c for c in found if not names or c.name in names]


@dataclass
class Mutant:
    rule: str
    says: str
    edits: list[tuple[str, str, str]]  # file, old, new
    demo: bool = False
    caught: list[str] = field(default_factory=list)


def read_mutants() -> list[Mutant]:
    mutants = []
    for path in sorted((ROOT / "tools/mutants").glob("*.toml")):
        for entry in tomllib.loads(path.read_text())["mutant"]:
            edits = [(e["file"], e["old"], e["new"]) for e in [entry, *entry.get("also", [])]]
            mutants.append(Mutant(entry["rule"], entry["says"], edits, entry.get("demo", False)))
    return mutants


def misplaced(mutants: list[Mutant]) -> list[str]:
    """Mutations that do not apply exactly once, and rules that nothing is planted against."""
    findings = []
    for mutant in mutants:
        for file, old, _ in mutant.edits:
            count = (ROOT / file).read_text().count(old) if (ROOT / file).exists() else 0
            if count != 1:
                findings.append(f"{mutant.rule}, {mutant.says}: stands {count} times in {file}, not once")
    rules = set(TAG.findall((ROOT / "docs/spec/ordering.md").read_text()))
    for rule in sorted(rules - {m.rule for m in mutants}):
        findings.append(f"{rule} of docs/spec/ordering.md has no mutant")
    return findings


def copy_tree() -> None:
    """Brings TREE up to date; what did not change keeps its time, so that ninja leaves it alone."""
    wanted = set()
    for name in COPIED:
        source = ROOT / name
        if not source.exists():
            continue
        for path in [source] if source.is_file() else sorted(p for p in source.rglob("*") if p.is_file()):
            relative = path.relative_to(ROOT)
            wanted.add(relative)
            put(TREE / relative, path.read_bytes())
            shutil.copymode(path, TREE / relative)
    for path in [p for p in TREE.rglob("*") if p.is_file()]:
        if path.relative_to(TREE) not in wanted:
            path.unlink()


def put(path: Path, content: bytes) -> None:
    if path.exists() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def configure() -> None:
    flags = ["-DCMAKE_BUILD_TYPE=None", "-DCMAKE_CXX_FLAGS=-O1", "-DCMAKE_C_FLAGS=-O1", "-DCRETO_BENCH=OFF"]
    if shutil.which("ccache"):
        flags += ["-DCMAKE_CXX_COMPILER_LAUNCHER=ccache", "-DCMAKE_C_COMPILER_LAUNCHER=ccache"]
    command = ["cmake", "-S", str(TREE), "-B", str(BUILD), "-G", "Ninja", "--log-level=WARNING", *flags]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def build(target: str, jobs: int) -> str | None:
    """None, or what the compiler says."""
    command = ["cmake", "--build", str(BUILD), "-j", str(jobs), "--target", target]
    done = subprocess.run(command, capture_output=True, text=True)
    return None if done.returncode == 0 else done.stdout + done.stderr


def run(checker: Checker) -> tuple[bool, str]:
    """Whether it is content, and what it said."""
    try:
        done = subprocess.run(checker.command, capture_output=True, text=True, timeout=checker.timeout,
                              errors="replace", cwd=WORK)
    except subprocess.TimeoutExpired:
        return False, "hangs"
    if done.returncode == 0:
        return True, ""
    text = done.stdout + done.stderr
    if found := re.search(checker.failed, text):
        return False, next(g for g in found.groups() if g)
    if found := re.search(r"internal error: .*", text):
        return False, found[0]
    return False, f"exit code {done.returncode}"


class Planted:
    """The tree with a mutant in it, for as long as the block lasts."""

    def __init__(self, mutant: Mutant) -> None:
        self.mutant = mutant
        self.before: dict[Path, bytes] = {}

    def __enter__(self) -> None:
        for file, old, new in self.mutant.edits:
            path = TREE / file
            self.before.setdefault(path, path.read_bytes())
            path.write_text(path.read_text().replace(old, new))

    def __exit__(self, *_: object) -> None:
        for path, content in self.before.items():
            path.write_bytes(content)


def hunt(mutant: Mutant, arguments: argparse.Namespace) -> bool:
    with Planted(mutant):
        for checker in checkers(arguments.seconds, arguments.checker):
            begun = time.monotonic()
            if said := build(checker.target, arguments.jobs):
                error = re.search(r"error: .*", said)
                print(f"{mutant.rule:11} {mutant.says}\n  DOES NOT BUILD: {error[0] if error else said[-300:]}")
                return False
            good, why = run(checker)
            if not good:
                mutant.caught.append(checker.name)
                seconds = time.monotonic() - begun
                print(f"{mutant.rule:11} {checker.name:6} {seconds:5.0f} s  {mutant.says}  <- {why[:110]}")
                sys.stdout.flush()
                if not arguments.every:
                    return True
    if not mutant.caught:
        print(f"{mutant.rule:11} SURVIVED        {mutant.says}")
        sys.stdout.flush()
    return bool(mutant.caught)


def show(mutant: Mutant, arguments: argparse.Namespace) -> bool:
    with Planted(mutant):
        if said := build("creto", arguments.jobs):
            print(f"{mutant.says}: does not build\n{said[-2000:]}")
            return False
        good = True
        print(f"{mutant.rule}: {mutant.says}")
        creto = str(BUILD / "creto")
        for command in ([creto, "demo", *arguments.scenario],
                        [creto, "sim", "run", "--seeds", "3", "--scenario", *arguments.scenario]):
            done = subprocess.run(command, capture_output=True, text=True, errors="replace", cwd=WORK)
            text = done.stdout + done.stderr
            failed = [line.strip() for line in text.splitlines() if re.search(r"FAIL|internal error", line)]
            verdict = "notices" if done.returncode != 0 else "DOES NOT NOTICE"
            print(f"  creto {' '.join(command[1:])}: exit code {done.returncode}, {verdict}"
                  f"{': ' + failed[0][:140] if failed else ''}")
            sys.stdout.flush()
            good = good and done.returncode != 0
    return good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="rules or descriptions that match")
    parser.add_argument("--every", action="store_true", help="run every checker on every mutant")
    parser.add_argument("--checker", nargs="+", default=[], help="rosters, crash, twins, unit, state, epochs, model, sim")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--demo", action="store_true")
    parser.add_argument("--scenario", nargs="*", default=["S3.2", "S3.3"], help="of the demo and of the simulation")
    parser.add_argument("--jobs", type=int, default=int(os.environ.get("JOBS", os.cpu_count() or 1)))
    parser.add_argument("--seconds", type=int, default=15, help="for the model checker and the epochs, each")
    arguments = parser.parse_args()

    mutants = read_mutants()
    if findings := misplaced(mutants):
        print("\n".join(findings), file=sys.stderr)
        return 1
    mutants = [m for m in mutants if re.search(arguments.only, m.rule) or re.search(arguments.only, m.says)]
    if arguments.demo:
        mutants = [m for m in mutants if m.demo]
    if arguments.list:
        for mutant in mutants:
            print(f"{mutant.rule:11} {mutant.says}")
        return 0
    if not mutants:
        print(f"no mutant is named {arguments.only!r}", file=sys.stderr)
        return 1

    begun = time.monotonic()
    copy_tree()
    configure()
    if arguments.demo:
        good = [show(m, arguments) for m in mutants]
        return 0 if all(good) else 1
    for checker in checkers(arguments.seconds, arguments.checker):
        if said := build(checker.target, arguments.jobs):
            print(said[-3000:], file=sys.stderr)
            return 1
        good, why = run(checker)
        if not good:
            print(f"the unchanged tree does not pass {checker.name}: {why}", file=sys.stderr)
            return 1
    caught = sum(hunt(m, arguments) for m in mutants)
    by_name: dict[str, int] = {}
    for mutant in mutants:
        for name in mutant.caught:
            by_name[name] = by_name.get(name, 0) + 1
    summary = ", ".join(f"{name} {count}" for name, count in by_name.items())
    print(f"mutants: {caught} of {len(mutants)} caught ({summary}) in {time.monotonic() - begun:.0f} s")
    return 0 if caught == len(mutants) else 1


if __name__ == "__main__":
    sys.exit(main())
