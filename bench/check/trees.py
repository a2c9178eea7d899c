"""trees: the base as a tree of its own under build/, and the builds of both.

The base is taken out of git (`git archive`), so that neither the checkout nor its list of worktrees is
touched. Both are built with the preset `release`, and share what ccache has compiled.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import signal
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

from check import stop
from check.figures import Refused

ROOM_BYTES = 2_000_000_000  # A tree with its optimised build takes some 0.7 GB, and what ccache keeps is beside it.
STEP = re.compile(r"^\[(\d+)/(\d+)\]")
COMPLETE = ".complete"
TAR_FILTER = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}  # Not in each 3.11.


def git(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise Refused("git is not installed; `make setup` installs what is needed") from error


def commit_of(root: Path, name: str) -> str:
    """The commit with this name. Errors: Refused, with how to get it."""
    found = git(root, "rev-parse", "--quiet", "--verify", "--end-of-options", name + "^{commit}")
    if found.returncode == 0:
        return found.stdout.strip()
    if git(root, "rev-parse", "--git-dir").returncode != 0:
        raise Refused(f"{root} is no git repository: a base is a commit; run this in a clone")
    if git(root, "rev-parse", "--is-shallow-repository").stdout.strip() == "true":
        raise Refused(f"the base {name} is not in this clone, which is shallow: git fetch --unshallow")
    raise Refused(f"the base {name} is not in this clone: git fetch origin, or another one with --base COMMIT")


def head_of(root: Path) -> tuple[str, bool]:
    """The commit that is checked out, and whether there are changes on top of it."""
    commit = commit_of(root, "HEAD")
    return commit, bool(git(root, "status", "--porcelain").stdout.strip())


def need_room(folder: Path, free: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free) -> None:
    if free(folder) < ROOM_BYTES:
        raise Refused(
            f"{folder} has {free(folder) / 1e9:.1f} GB left, and a build of the base needs {ROOM_BYTES / 1e9:.0f}: "
            "make room (`rm -r build/bench-check` removes older bases)"
        )


def take_out(root: Path, commit: str, work: Path) -> Path:
    """The tree of the commit under `work`; a tree that is whole is there already."""
    tree = work / f"base-{commit[:12]}"
    if (tree / COMPLETE).exists():
        return tree
    work.mkdir(parents=True, exist_ok=True)
    need_room(work)
    shutil.rmtree(tree, ignore_errors=True)
    archive = subprocess.Popen(["git", "-C", str(root), "archive", commit], stdout=subprocess.PIPE)
    try:
        with tarfile.open(fileobj=archive.stdout, mode="r|") as tar:
            tar.extractall(tree, **TAR_FILTER)
        if archive.wait() != 0:
            raise Refused(f"git archive {commit} failed; `git fsck` says whether the clone is whole")
        (tree / COMPLETE).touch()
    except (tarfile.TarError, OSError) as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            shutil.rmtree(tree, ignore_errors=True)
        raise
    finally:
        if archive.poll() is None:
            archive.kill()
        archive.wait()
    return tree


def build(tree: Path, wanted: list[str], log: Path, tell: Callable[[str], None]) -> Path:
    """Builds those of the programs that the tree knows. Errors: Refused, with the compiler's last lines."""
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_bytes(b"")
    folder = tree / "build" / "release"
    carry_out(["cmake", "--preset", "release", "--log-level=WARNING"], tree, log, tell)
    query = ["ninja", "-C", str(folder), "-t", "query"]
    known = [
        name for name in wanted if subprocess.run([*query, name], capture_output=True, check=False).returncode == 0
    ]
    if not known:
        return folder  # Each run says what it misses.
    jobs = os.environ.get("JOBS") or str(os.cpu_count() or 1)
    carry_out(["cmake", "--build", "--preset", "release", "-j", jobs, "--target", *known], tree, log, tell)
    return folder


def carry_out(command: list[str], tree: Path, log: Path, tell: Callable[[str], None]) -> None:
    # What one tree has compiled serves the other.
    environment = {**os.environ, "CCACHE_BASEDIR": str(tree), "CCACHE_NOHASHDIR": "1"}
    options = {"cwd": tree, "env": environment, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    if shutil.which(command[0]) is None:
        raise Refused(f"{command[0]} is not installed; `make setup` installs what is needed")
    lines: list[str] = []
    with (
        log.open("a", encoding="utf-8") as out,
        stop.started(command, signal.SIGTERM, text=True, errors="replace", **options) as child,
    ):
        for line in child.stdout:
            out.write(line)
            lines.append(line.rstrip())
            if step := STEP.match(line):
                tell(f"{step[1]} of {step[2]}")
        child.wait()
    if child.returncode != 0:
        said = "\n".join(lines[-12:])
        if "No space left on device" in said:
            raise Refused(f"the disk of {tree} is full: make room (`rm -r build/bench-check` removes older bases)")
        raise Refused(f"{tree} does not build; the whole of it is in {log}:\n{said}")
