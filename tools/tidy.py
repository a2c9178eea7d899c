#!/usr/bin/env python3
"""tidy: holds the rules of docs/STYLE.md that a machine can hold.

    tools/tidy.py [ROOT]       check the tree (default: the one this file stands in)

Findings read `path:line: message`; the exit code is 1 when there are any. What is checked, and the
function that does it:

    layers       cmake/layers.txt itself: known names, downward only
    includes     a layer includes the layers it may use, and foreign headers at their home
    determinism  no clocks, threads, files, floats or hash order in the deterministic layers
    symbols      the same, asked of their archives in build/dev and build/release with nm; files that
                 were compiled together are one object, so what one may call its neighbours may
    mutants      what a planted bug replaces stands in its file, once
    tags         each [SOME-NAME.1] of docs/spec/ stands in a source and in a test, and back
    sizes        files over 600 lines stand in tools/tidy_ratchet.txt, which only shrinks
    headers      a header begins with its comment and has #pragma once
    leftovers    no marks of unfinished work

`// tidy: allow REASON` at the end of a line excepts that line from `includes` and `determinism`, and
the functions that it names from `symbols`. A mark without a reason is a finding.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

LINES_MAX = 600
RATCHET = "tools/tidy_ratchet.txt"
MUTANTS = "tools/mutants"
LAYER_TABLE = "cmake/layers.txt"

# Foreign headers, and the library of the layer table that each belongs to. A header of a library
# that is not here is a finding: it needs a home in the table and an entry in docs/decisions/0003.
FOREIGN = [
    (r"tl/expected\.hpp$", "expected"),
    (r"sodium(\.h$|/)", "sodium"),
    (r"blake3\.h$", "blake3"),
    (r"nlohmann/", "json"),
    (r"rocksdb/", "rocksdb"),
    (r"boost/", "asio"),
    (r"prometheus/", "prometheus"),
    (r"toml\+\+/", "toml"),
    (r"CLI/", "cli11"),
    (r"(spdlog|fmt)/", "spdlog"),
    (r"openssl/", "openssl"),
]
# Headers of test libraries, by the role of the file that may include them.
CHECKING = [(r"(gtest|gmock|rapidcheck)[/.]", "_test"), (r"benchmark/", "_bench")]
# Directories of system headers; with the plain `name.h` headers they are the operating system's.
SYSTEM_DIRS = ("sys/", "netinet/", "net/", "arpa/", "linux/", "asm/", "cxxabi")

BANNED_INCLUDES = re.compile(
    r"(thread|mutex|shared_mutex|condition_variable|future|atomic|latch|barrier|semaphore|stop_token"
    r"|chrono|ctime|random|fstream|filesystem|iostream)"
)
# What must not be said, why, and the one layer that may say it.
BANNED_TEXT = [
    (r"\bunordered_(multi)?(map|set)\b", "hash order leaks; use std::map or a sorted vector", ""),
    (r"\b(double|float)\b", "no floating point in agreed code; use integers", ""),
    (r"\b(system|steady|high_resolution)_clock\b|\bclock_gettime\b|\bgettimeofday\b|\bstd::chrono\b"
     r"|\bstd::(time|clock)\b",
     "no clocks; take an Instant", ""),
    (r"\brandom_device\b|\bmt19937(_64)?\b|\bstd::s?rand\b|\brandombytes_\w+|\bget(random|entropy)\b",
     "no entropy; take a Prng", ""),
    (r"\bfill_random\b", "only hosts fill from the system's entropy; take a Prng or a seed", "crypto"),
    (r"\bgetenv\b", "no environment; take an option", ""),
    (r"\bstd::(jthread|thread|mutex|async|atomic)\b|\bthread_local\b", "no threads; they are the host's",
     ""),
    (r"\bstd::[io]?fstream\b|\bstd::filesystem\b|\bfopen\b", "no files; they are the host's", ""),
]
BANNED_SYMBOLS = re.compile(
    r"::(system_clock|steady_clock)::now\(|std::random_device|std::thread::|std::filesystem::"
    r"|std::basic_[io]?fstream|std::basic_filebuf|creto::fill_random\("
    r"|^(rand|rand_r|random|drand48|srand|srandom|time|clock|clock_gettime|gettimeofday|nanosleep|usleep"
    r"|sleep|getenv|secure_getenv|open|open64|openat|fopen|fopen64|read|write|close|socket|connect|send"
    r"|sendto|recv|recvfrom|poll|epoll_wait|getrandom|getentropy|randombytes_\w+|pthread_create)(@|$)"
)

ALLOW = re.compile(r"//.*\btidy: allow\b[ \t]*(.*)$")
TAG = re.compile(r"\[([A-Z][A-Z0-9]*(?:-[A-Z0-9]+)+\.[0-9]+)\]")
LEFTOVER = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')

CPP = (".cpp", ".hpp")
TEXT = CPP + (".h", ".c", ".py", ".sh", ".cmake", ".txt", ".md", ".toml", ".yml", ".yaml", ".js", ".ts",
              ".html", ".css")
SKIPPED_DIRS = {"build", ".git", ".cache", "node_modules", "__pycache__", "corpus"}


@dataclass(frozen=True)
class Layer:
    line: int
    level: int
    deterministic: bool
    may_use: frozenset[str]
    foreign: frozenset[str]


class Source:
    """A file of the tree with the views of its text that the checks share."""

    def __init__(self, root: Path, path: Path) -> None:
        self.path = path.relative_to(root).as_posix()
        self.text = path.read_text(encoding="utf-8", errors="replace")

    @cached_property
    def lines(self) -> list[str]:
        return lines_of(self.text)

    @cached_property
    def code(self) -> list[str]:
        """The lines without comments and without the insides of strings."""
        return lines_of(strip(self.text, strings=True))

    @cached_property
    def includes(self) -> list[tuple[int, str, str]]:
        """(line, `<` or `"`, header) of each include."""
        found = []
        for number, line in enumerate(lines_of(strip(self.text, strings=False)), 1):
            if match := INCLUDE.match(line):
                found.append((number, match[1], match[2]))
        return found

    def allowed(self, line: int) -> bool:
        return ALLOW.search(self.lines[line - 1]) is not None

    @property
    def layer(self) -> str | None:
        parts = self.path.split("/")
        return parts[1] if parts[0] == "src" and len(parts) > 2 else None

    @property
    def role(self) -> str:
        """`_test`, `_fuzz`, `_bench`, or nothing for a part of the library."""
        if re.search(r"/(test_support|testing/\w+)\.hpp$", self.path):
            return "_test"
        match = re.search(r"(_test|_fuzz|_bench)\.[ch]pp$", self.path)
        return match[1] if match else ""


def lines_of(text: str) -> list[str]:
    """Lines as a compiler counts them; str.splitlines() also breaks at form feeds and the like."""
    return text.removesuffix("\n").split("\n")


STRIP = re.compile(
    r'(?P<raw>R"(?P<mark>[^()\\ ]{0,16})\(.*?\)(?P=mark)")'
    r'|(?P<string>"(?:[^"\\\n]|\\.)*")'
    r"|(?P<char>(?<![0-9a-fA-F])'(?:[^'\\\n]|\\.)+')"
    r"|(?P<comment>//(?:[^\n\\]|\\.)*|/\*.*?\*/)",
    re.DOTALL,
)


def strip(text: str, strings: bool) -> str:
    """`text` with comments blanked, and with `strings` the insides of literals too; same lines."""

    def blank(match: re.Match[str]) -> str:
        if match["comment"] is None and not strings:
            return match[0]
        return re.sub(r"[^\n]", " ", match[0])

    return STRIP.sub(blank, text)


class Tidy:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.findings: list[tuple[str, int, str]] = []
        self.layers = self.read_layers()
        self.files = [Source(root, path) for path in self.walk()]
        self.cpp = [f for f in self.files if f.path.endswith(CPP)]

    def find(self, path: str, line: int, message: str) -> None:
        self.findings.append((path, line, message))

    def walk(self) -> list[Path]:
        paths = []
        for folder, dirs, names in os.walk(self.root):
            dirs[:] = sorted(d for d in dirs if d not in SKIPPED_DIRS)
            for name in sorted(names):
                path = Path(folder) / name
                if name.endswith(TEXT) or name == "Makefile" or path.parent.name == ".ci":
                    paths.append(path)
        return paths

    def read_layers(self) -> dict[str, Layer]:
        layers: dict[str, Layer] = {}
        text = (self.root / LAYER_TABLE).read_text(encoding="utf-8")
        for number, line in enumerate(text.splitlines(), 1):
            if not line[:1].isdigit():
                continue
            fields = line.split()
            if len(fields) != 5 or fields[2] not in ("yes", "no") or fields[1] in layers:
                self.find(LAYER_TABLE, number, "not a row of five fields, yes or no, with a new name")
                continue
            level, name, deterministic, may_use, foreign = fields
            layers[name] = Layer(
                number, int(level), deterministic == "yes", names_of(may_use), names_of(foreign)
            )
        return layers

    def run(self) -> list[tuple[str, int, str]]:
        self.check_layers()
        for file in self.cpp:
            self.check_includes(file)
            self.check_determinism(file)
            self.check_header(file)
        self.check_symbols()
        self.check_tags()
        self.check_sizes()
        self.check_mutants()
        self.check_leftovers()
        return sorted(set(self.findings))

    # The table and the includes.

    def check_layers(self) -> None:
        for name, layer in self.layers.items():
            for used in sorted(layer.may_use):
                if used not in self.layers:
                    self.find(LAYER_TABLE, layer.line, f"{name} uses {used}, which is no layer")
                elif self.layers[used].level >= layer.level:
                    self.find(LAYER_TABLE, layer.line, f"{name} may not use {used}: it is not below")
                elif layer.deterministic and not self.layers[used].deterministic:
                    self.find(LAYER_TABLE, layer.line, f"{name} is deterministic and {used} is not")

    def check_includes(self, file: Source) -> None:
        layer = self.layers.get(file.layer) if file.layer else None
        if file.path.startswith("src/") and layer is None:
            self.find(file.path, 1, f"not in a layer of {LAYER_TABLE}")
            return
        if layer is None:
            return
        for line, kind, header in file.includes:
            if file.allowed(line):
                continue
            problem = (
                self.own_include(file.layer, layer, header)
                if kind == '"'
                else self.foreign_include(file, layer, header)
            )
            if problem:
                self.find(file.path, line, problem)

    def own_include(self, name: str, layer: Layer, header: str) -> str | None:
        folder = header.split("/")[0]
        if "/" not in header or folder == "..":
            return f'"{header}": include from the root of src/, as "{name}/..."'
        if folder not in self.layers:
            return f'"{header}": {folder}/ is no layer'
        if folder != name and folder not in layer.may_use:
            return f"{name}/ may not include {folder}/"
        return None

    def foreign_include(self, file: Source, layer: Layer, header: str) -> str | None:
        for pattern, role in CHECKING:
            if re.match(pattern, header):
                return None if file.role == role else f"<{header}> is for {role}.cpp files"
        for pattern, library in FOREIGN:
            if re.match(pattern, header):
                home = library in layer.foreign
                return None if home else f"{file.layer}/ is no home of {library} (<{header}>)"
        system = header.endswith(".h") and "/" not in header or header.startswith(SYSTEM_DIRS)
        if system and layer.deterministic and not file.role:
            return f"<{header}>: the operating system is the host's; take an event or an option"
        if "/" in header and not system:
            return f"<{header}>: a library without a home; see docs/decisions/0003-dependencies.md"
        return None

    # Determinism, in the text and in the archives.

    def check_determinism(self, file: Source) -> None:
        for number, line in enumerate(file.lines, 1):
            if (mark := ALLOW.search(line)) and not mark[1].strip():
                self.find(file.path, number, "tidy: allow needs a reason")
        layer = self.layers.get(file.layer) if file.layer else None
        if layer is None or not layer.deterministic or file.role:
            return
        for number, kind, header in file.includes:
            if kind == "<" and BANNED_INCLUDES.fullmatch(header) and not file.allowed(number):
                self.find(file.path, number, f"<{header}>: no threads, clocks, files or entropy here")
        for number, line in enumerate(file.code, 1):
            if INCLUDE.match(line):
                continue
            for pattern, message, home in BANNED_TEXT:
                if file.layer != home and re.search(pattern, line) and not file.allowed(number):
                    self.find(file.path, number, message)

    def check_symbols(self) -> None:
        for name, layer in self.layers.items():
            if not layer.deterministic:
                continue
            for preset in ("dev", "release"):
                archive = self.root / "build" / preset / f"libcreto_{name}.a"
                if archive.exists() and self.is_current(name, archive):
                    self.check_archive(name, archive)

    def is_current(self, name: str, archive: Path) -> bool:
        """No source of the library is newer: what an old build did is no finding about this tree."""
        built = archive.stat().st_mtime
        return all(
            (self.root / f.path).stat().st_mtime <= built for f in self.cpp if f.layer == name and not f.role
        )

    def check_archive(self, name: str, archive: Path) -> None:
        shown = archive.relative_to(self.root).as_posix()
        nm = subprocess.run(
            ["nm", "--undefined-only", "--demangle", archive], capture_output=True, text=True, check=False
        )
        if nm.returncode != 0:
            self.find(shown, 1, f"nm cannot read it: {nm.stderr.strip()[:120]}")
            return
        sources: list[Source] = []
        for line in nm.stdout.splitlines():
            if line.endswith((".cpp.o:", ".cxx.o:")):
                sources = self.sources_of(name, archive, line[: -len(".o:")])
            symbol = line.strip().removeprefix("U ")
            if not sources or not BANNED_SYMBOLS.search(symbol):
                continue
            if not any(self.allows_symbol(source, symbol) for source in sources):
                others = "".join(f", or {s.path}" for s in sources[1:])
                self.find(sources[0].path, 1, f"{shown} uses {symbol}, which only a host may use{others}")

    def sources_of(self, name: str, archive: Path, base: str) -> list[Source]:
        """Those of an object: several, when CMake included them in one file. Empty for an object whose
        source is gone: the archive is older than the tree."""
        together = archive.parent / "CMakeFiles" / f"creto_{name}.dir" / "Unity" / base
        if together.exists():
            included = re.findall(r'^#include "(.*)"$', together.read_text(encoding="utf-8"), re.MULTILINE)
            return [f for f in self.cpp if any(file.endswith("/" + f.path) for file in included)]
        return [f for f in self.cpp if f.layer == name and f.path.endswith("/" + base)][:1]

    @staticmethod
    def allows_symbol(source: Source, symbol: str) -> bool:
        function = re.split(r"[@(]", symbol)[0].split("::")[-1]
        return any(
            ALLOW.search(line) and re.search(rf"\b{re.escape(function)}\b", line) for line in source.lines
        )

    # The specification's tags.

    def check_tags(self) -> None:
        spec: dict[str, tuple[str, int]] = {}
        code: dict[str, tuple[str, int]] = {}
        tests: dict[str, tuple[str, int]] = {}
        for file in self.files:
            is_test = file.role == "_test" or file.path.startswith("tests/") or "/testdata/" in file.path
            if file.path.startswith("docs/spec/"):
                place = spec
            elif is_test:
                place = tests
            elif file.path.startswith("src/") and file.path.endswith(CPP) and not file.role:
                place = code
            else:
                continue
            for number, line in enumerate(file.lines, 1):
                for tag in TAG.findall(line):
                    place.setdefault(tag, (file.path, number))
        for tag, (path, line) in spec.items():
            if tag not in code:
                self.find(path, line, f"[{tag}] stands in no source under src/")
            if tag not in tests:
                self.find(path, line, f"[{tag}] stands in no test")
        for tag, (path, line) in {**tests, **code}.items():
            if tag not in spec:
                self.find(path, line, f"[{tag}] is not in docs/spec/")

    # Planted bugs.

    def check_mutants(self) -> None:
        """The text that a mutant replaces stands in its file exactly once: code moves."""
        for path in sorted((self.root / MUTANTS).glob("*.toml")):
            name = path.relative_to(self.root).as_posix()
            for mutant in tomllib.loads(path.read_text(encoding="utf-8")).get("mutant", []):
                for edit in [mutant, *mutant.get("also", [])]:
                    file = self.root / edit["file"]
                    times = file.read_text(encoding="utf-8").count(edit["old"]) if file.is_file() else 0
                    if times != 1:
                        what = f'{mutant["rule"]}, "{mutant["says"]}"'
                        self.find(name, 1, f'{what}: its text stands {times} times in {edit["file"]}')

    # Sizes, headers, leftovers.

    def check_sizes(self) -> None:
        path = self.root / RATCHET
        listed = read_ratchet(path.read_text(encoding="utf-8")) if path.exists() else {}
        sizes = {file.path: len(file.lines) for file in self.cpp}
        for name, (_, lines) in listed.items():
            actual = sizes.get(name, 0)
            if actual <= LINES_MAX:
                self.find(RATCHET, listed[name][0], f"{name} is small now or gone: remove its entry")
            elif actual < lines:
                self.find(RATCHET, listed[name][0], f"{name} has {actual} lines now: lower its entry")
        for name, actual in sizes.items():
            limit = listed[name][1] if name in listed else LINES_MAX
            if actual > limit:
                self.find(name, 1, f"{actual} lines, at most {limit}: one concept a file; split it")
        self.check_ratchet_grew(listed)

    def check_ratchet_grew(self, listed: dict[str, tuple[int, int]]) -> None:
        committed = subprocess.run(
            ["git", "-C", self.root, "show", f"HEAD:{RATCHET}"], capture_output=True, text=True, check=False
        )
        if committed.returncode != 0:
            return
        before = read_ratchet(committed.stdout)
        for name, (line, lines) in listed.items():
            if name not in before or lines > before[name][1]:
                self.find(RATCHET, line, f"{name}: the list only shrinks; split the file")

    def check_header(self, file: Source) -> None:
        if not file.path.startswith("src/") or not file.path.endswith(".hpp"):
            return
        if not file.lines or not re.match(r"// \S", file.lines[0]):
            self.find(file.path, 1, "a header begins with a comment: what it is, why, what holds")
        if "#pragma once" not in file.lines:
            self.find(file.path, 1, "no #pragma once")

    def check_leftovers(self) -> None:
        for file in self.files:
            for number, line in enumerate(file.lines, 1):
                if match := LEFTOVER.search(line):
                    self.find(file.path, number, f"{match[1]}: finish it, or open an issue")


def names_of(field: str) -> frozenset[str]:
    return frozenset() if field == "-" else frozenset(field.split(","))


def read_ratchet(text: str) -> dict[str, tuple[int, int]]:
    """{path: (line in the list, lines allowed)} of rows `path lines`."""
    rows = {}
    for number, row in enumerate(text.splitlines(), 1):
        fields = row.split()
        if len(fields) == 2 and not row.startswith("#") and fields[1].isdigit():
            rows[fields[0]] = (number, int(fields[1]))
    return rows


def main(arguments: list[str]) -> int:
    root = Path(arguments[0]) if arguments else Path(__file__).resolve().parent.parent
    findings = Tidy(root.resolve()).run()
    for path, line, message in findings:
        print(f"{path}:{line}: {message}")
    print(f"tidy: {len(findings)} findings" if findings else "tidy: clean", file=sys.stderr)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
