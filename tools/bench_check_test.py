#!/usr/bin/env python3
"""Tests of bench_check.py on programs that are small scripts: what it says, and how it ends.

The statistics by themselves are in bench/check/paired_test.py.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
import unittest
from pathlib import Path

TOOL = Path(__file__).resolve().parent / "bench_check.py"
ROOT = TOOL.parent.parent
sys.path.insert(0, str(ROOT / "bench"))

from check import figures, stop, trees  # noqa: E402

RUNS = [
    {"name": "graph", "size": "quick", "about_s": 0.1, "scenario": "graph_scenario", "covers": ["graph_scenario"]},
    {"name": "net", "size": "quick", "about_s": 0.1, "scenario": "net_scenario", "smoke": True, "covers": []},
    {"name": "sim", "size": "normal", "about_s": 0.1, "program": "creto_bench_sim", "arguments": ["--only", "n4"], "covers": []},
    {"name": "sort", "size": "normal", "about_s": 0.1, "program": "bench_dag", "benchmark": "^sort$", "covers": []},
    {"name": "hours", "size": "long", "about_s": 9000, "scenario": "hours_scenario", "covers": ["hours_scenario"]},
]
FIGURES = [
    {"name": "graph/graph_add_ns", "unit": "ns", "good": "low", "time": "real", "tolerance": 0.1},
    {"name": "net/latency_p50_ms", "unit": "ms", "good": "low", "time": "virtual", "tolerance": 0.1},
    {"name": "net/growth_percent", "unit": "%", "good": "low", "time": "virtual", "tolerance": 1.0, "absolute": True},
    {"name": "sim/messages", "unit": "messages/s", "good": "high", "time": "real", "tolerance": 0.1},
    {"name": "sim/p50", "unit": "ms", "good": "low", "time": "virtual", "tolerance": 0.1},
    {"name": "sort/sort", "unit": "ns", "good": "low", "time": "real", "tolerance": 0.1},
    {"name": "hours/growth_percent", "unit": "%", "good": "low", "time": "virtual", "tolerance": 1.0, "absolute": True},
]
# `add` is a list of figures that the script gives one after the other, over and over.
CRETO = """#!/bin/sh
# scale run NAME --json ...
case $3 in
graph_scenario)
    n=$(cat "{count}" 2>/dev/null || echo 0); echo $((n + 1)) >"{count}"
    set -- {add}
    shift $((n % $#))
    metrics="\\"graph_add_ns\\": $1" trace= ;;
*)
    metrics='{net}' trace='"trace_hash": "{trace}", ' ;;
esac
echo '{{'$trace'"status": "PASSED", "configuration": {{"cost_table": "{table}"}}, "acceptance_criteria": {{}},'
echo '"details": {{"metrics": {{'"$metrics"'}}}}}}'
{then}
"""
SIM = """#!/bin/sh
echo '{{"messages": {{"unit": "messages/s", "values": [1, {messages}, 9e9]}}, "p50": {{"unit": "ms", "values": [{p50}]}}}}'
"""
SORT = """#!/bin/sh
echo '{{"benchmarks": [{{"run_name": "sort", "run_type": "iteration", "cpu_time": {sort}, "real_time": 99, "time_unit": "us"}}]}}'
"""


class CheckTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        (self.root / "scenarios").mkdir()
        for name in ("graph_scenario", "net_scenario", "hours_scenario"):
            (self.root / "scenarios" / f"{name}.toml").write_text(f'name = "{name}"\n')
        self.write_plan("0" * 40)
        self.programs("base")
        self.programs("now")

    def write_plan(self, commit, runs=RUNS, rows=FIGURES):
        document = {"commit": commit, "recorded": "2026-11-30", "why": "the first", "runs": runs, "figures": rows}
        (self.root / "bench").mkdir(exist_ok=True)
        (self.root / "bench" / "base.json").write_text(json.dumps(document))

    def programs(self, side, **given):
        """Scripts in place of the programs of a side; all give the same figures unless told otherwise."""
        values = {"add": "100 101 99", "net": '"latency_p50_ms": 20, "growth_percent": 0', "messages": "1000",
                  "p50": "20", "sort": "5", "trace": "aa", "table": "t1", "then": "", "count": self.root / f"count-{side}"}
        values |= given
        for name, text in (("creto", CRETO), ("creto_bench_sim", SIM), ("bench_dag", SORT)):
            self.program(side, name, text.format(**values))

    def program(self, side, name, text):
        path = self.root / side / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def command(self, *words, builds=True):
        own = ["--builds", str(self.root / "base"), str(self.root / "now")] if builds else []
        return [sys.executable, str(TOOL), "--root", str(self.root), *own, *words]

    def check(self, *words, builds=True, env=None):
        done = subprocess.run(self.command(*words, builds=builds), capture_output=True, text=True, env=env, check=False)
        self.assertNotIn("Traceback", done.stderr)
        return done

    def wait_until(self, is_so, child):
        deadline = time.monotonic() + 300
        while not is_so():
            self.assertLess(time.monotonic(), deadline, "it did not get that far")
            self.assertIsNone(child.poll(), "it ended by itself")
            time.sleep(0.01)

    def document(self):
        return json.loads((self.root / "build/bench-check/report.json").read_text())

    def verdicts(self):
        return {row["name"]: row["verdict"] for row in self.document()["figures"]}


class Verdicts(CheckTest):
    def test_equal_builds_are_the_same_and_pass(self):
        done = self.check()
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(set(self.verdicts().values()), {"same"})
        self.assertEqual(self.document()["status"], "PASSED")
        self.assertTrue(self.document()["complete"])
        self.assertIn("PASSED: 6 same", done.stdout)

    def test_a_base_that_is_20_percent_faster_makes_now_worse(self):
        self.programs("base", add="80 81 79")
        done = self.check()
        self.assertEqual(done.returncode, 1)
        self.assertEqual(self.verdicts()["graph/graph_add_ns"], "worse")
        self.assertEqual([name for name, verdict in self.verdicts().items() if verdict != "same"], ["graph/graph_add_ns"])
        row = next(row for row in self.document()["figures"] if row["verdict"] == "worse")
        self.assertGreater(row["interval"][0], 0.1)
        self.assertEqual(self.document()["status"], "FAILED")

    def test_a_now_that_is_20_percent_faster_is_better_and_passes(self):
        self.programs("now", add="80 81 79")
        self.assertEqual(self.check().returncode, 0)
        self.assertEqual(self.verdicts()["graph/graph_add_ns"], "better")

    def test_of_a_rate_less_is_worse(self):
        self.programs("now", messages="800")
        self.assertEqual(self.check("--only", "sim").returncode, 1)
        self.assertEqual(self.verdicts(), {"sim/messages": "worse", "sim/p50": "same"})

    def test_virtual_figures_are_decided_by_one_run_of_each(self):
        self.programs("now", net='"latency_p50_ms": 22.1, "growth_percent": 0')
        self.assertEqual(self.check("--only", "net").returncode, 1)
        row = self.document()["figures"][0]
        self.assertEqual((row["verdict"], row["pairs"]), ("worse", 1))

    def test_virtual_figures_at_the_tolerance_are_the_same(self):
        self.programs("now", net='"latency_p50_ms": 22, "growth_percent": 1.0')
        self.assertEqual(self.check("--only", "net").returncode, 0)

    def test_an_absolute_tolerance_is_in_the_figures_unit(self):
        self.programs("now", net='"latency_p50_ms": 20, "growth_percent": 1.1')
        self.assertEqual(self.check("--only", "net").returncode, 1)
        self.assertEqual(self.verdicts(), {"net/latency_p50_ms": "same", "net/growth_percent": "worse"})

    def test_benchmarks_are_read_in_nanoseconds_of_the_processor(self):
        self.check("--only", "sort")
        self.assertEqual(self.document()["figures"][0]["now"], 5000)

    def test_noise_over_the_limit_is_unclear_and_no_pass(self):
        self.programs("now", add="100 125 90 140 95")
        done = self.check("--only", "graph")
        self.assertEqual(done.returncode, 3)
        self.assertEqual(self.verdicts()["graph/graph_add_ns"], "unclear")
        self.assertEqual(self.document()["figures"][0]["pairs"], 48)
        self.assertEqual(self.document()["status"], "PARTIAL")

    def test_a_clear_figure_ends_at_the_first_look(self):
        self.check("--only", "graph")
        self.assertEqual(self.document()["figures"][0]["pairs"], 8)

    def test_quick_has_fewer_pairs_and_figures(self):
        self.programs("now", add="100 125 90 140 95")
        self.assertEqual(self.check("--quick").returncode, 3)
        self.assertEqual(set(self.verdicts()), {"graph/graph_add_ns", "net/latency_p50_ms", "net/growth_percent"})
        self.assertEqual(self.document()["figures"][0]["pairs"], 12)

    def test_base_and_now_run_in_turn_and_turn_about(self):
        log = self.root / "log"
        for side in ("base", "now"):
            self.programs(side, then=f"echo {side} >>{log}")
        self.check("--only", "graph", "--quick")
        # The first of each warms up.
        self.assertEqual(log.read_text().split(), ["now", "base"] + ["base", "now", "now", "base"] * 3)

    def test_the_best_of_several_executions_is_one_turn(self):
        self.write_plan("0" * 40, [{**RUNS[0], "best_of": 3}])
        self.write_plan("0" * 40, [{**RUNS[0], "best_of": 3}], FIGURES[:1])
        for side in ("base", "now"):
            self.programs(side, add="100 900 700")
        self.assertEqual(self.check().returncode, 0)
        self.assertEqual(self.document()["figures"][0]["base"], 100)


class Missing(CheckTest):
    def test_what_the_base_does_not_print_is_new(self):
        self.programs("base", net='"latency_p50_ms": 20')
        self.assertEqual(self.check("--only", "net").returncode, 0)
        self.assertEqual(self.verdicts(), {"net/latency_p50_ms": "same", "net/growth_percent": "new"})

    def test_a_scenario_that_the_base_refuses_is_new(self):
        self.program("base", "creto", '#!/bin/sh\necho "creto: no key bandwidth" >&2\nexit 2\n')
        self.assertEqual(self.check("--only", "net").returncode, 0)
        self.assertEqual(set(self.verdicts().values()), {"new"})
        self.assertIn("no key bandwidth", self.document()["figures"][0]["reason"])

    def test_a_program_that_the_base_does_not_have_is_new(self):
        (self.root / "base" / "bench_dag").unlink()
        self.assertEqual(self.check("--only", "sort").returncode, 0)
        self.assertEqual(self.verdicts(), {"sort/sort": "new"})
        self.assertEqual(self.document()["figures"][0]["now"], 5000)

    def test_what_neither_side_has_is_not_new(self):
        (self.root / "base" / "bench_dag").unlink()
        (self.root / "now" / "bench_dag").unlink()
        self.assertEqual(self.check("--only", "sort").returncode, 2)
        self.assertEqual(self.verdicts(), {"sort/sort": "failed"})

    def test_a_benchmark_that_the_base_does_not_have_is_new(self):
        self.program("base", "bench_dag", '#!/bin/sh\necho "Failed to match any benchmarks against regex: ^sort$" >&2\n')
        self.assertEqual(self.check("--only", "sort").returncode, 0)
        self.assertEqual(self.verdicts(), {"sort/sort": "new"})

    def test_what_now_no_longer_prints_is_a_failure(self):
        self.programs("now", net='"latency_p50_ms": 20')
        self.assertEqual(self.check("--only", "net").returncode, 2)
        self.assertEqual(self.verdicts()["net/growth_percent"], "failed")

    def test_a_program_that_now_does_not_have_is_a_failure(self):
        (self.root / "now" / "bench_dag").unlink()
        self.assertEqual(self.check("--only", "sort").returncode, 2)
        self.assertEqual(self.verdicts(), {"sort/sort": "failed"})

    def test_a_figure_that_is_null_now_is_a_failure(self):
        self.programs("now", net='"latency_p50_ms": null, "growth_percent": 0')
        self.assertEqual(self.check("--only", "net").returncode, 2)

    def test_a_program_that_crashes_fails_its_figures_and_not_the_others(self):
        self.program("now", "creto_bench_sim", '#!/bin/sh\necho "an operation did not become final" >&2\nexit 1\n')
        done = self.check()
        self.assertEqual(done.returncode, 2)
        self.assertEqual(self.verdicts()["sim/messages"], "failed")
        self.assertEqual(self.verdicts()["graph/graph_add_ns"], "same")
        self.assertIn("an operation did not become final", done.stdout)

    def test_output_that_is_no_result_is_a_failure(self):
        self.program("now", "creto_bench_sim", "#!/bin/sh\necho hello\n")
        self.assertEqual(self.check("--only", "sim").returncode, 2)
        self.assertIn("hello", self.document()["figures"][0]["reason"])

    def test_a_regression_counts_more_than_a_failure(self):
        self.programs("now", add="120")
        self.program("now", "bench_dag", "#!/bin/sh\nexit 1\n")
        self.assertEqual(self.check().returncode, 1)

    def test_virtual_time_that_is_not_exact_is_a_failure(self):
        counter = self.root / "n"
        self.program("now", "creto_bench_sim", f"""#!/bin/sh
echo x >>{counter}
echo '{{"messages": {{"values": [1000]}}, "p50": {{"values": ['$((19 + $(wc -l <{counter}) / 4))']}}}}'
""")
        self.assertEqual(self.check("--only", "sim").returncode, 2)
        self.assertEqual(self.verdicts(), {"sim/messages": "same", "sim/p50": "failed"})
        self.assertIn("the same seed", self.document()["figures"][1]["reason"])

    def test_another_cost_table_and_the_same_trace_are_told(self):
        self.programs("now", table="t2")
        done = self.check("--only", "net")
        self.assertIn("another cost table (t1, now t2)", done.stdout)
        self.assertIn("net: the same trace", done.stdout)


class Words(CheckTest):
    def refused(self, done, *words):
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)

    def test_an_unknown_figure_names_the_nearest(self):
        self.refused(self.check("--only", "graph_ad_ns"), "graph_ad_ns", "did you mean graph_add_ns?")

    def test_unknown_words_and_contradictions_are_refused(self):
        for words in (["--quik"], ["--quick", "--long"], ["--base", "HEAD"], ["--seed", "-1"], ["--record"], ["--why", "x"]):
            with self.subTest(words=words):
                self.refused(self.check(*words), "error: ")

    def test_help_has_examples(self):
        done = self.check("--help")
        self.assertEqual(done.returncode, 0)
        self.assertIn("make bench-check ARGS=--quick", done.stdout)

    def test_what_takes_hours_is_run_only_when_asked_for(self):
        self.refused(self.check("--only", "hours_scenario"), "--long")
        self.programs("base", net='"growth_percent": 1')
        self.assertEqual(self.check("--only", "hours_scenario", "--long").returncode, 0)
        self.assertEqual(self.check("--only", "hours").returncode, 0)

    def test_the_list_shows_every_figure(self):
        done = self.check("--list")
        for row in FIGURES:
            self.assertIn(row["name"], done.stdout)

    def test_a_folder_of_builds_that_is_not_there(self):
        self.refused(self.check("--builds", "/nowhere", "/nowhere", builds=False), "/nowhere is no folder")

    def test_a_broken_plan_says_where(self):
        plan = self.root / "bench" / "base.json"
        for text, words in (
            ("{", "base.json:1: not JSON"),
            ('{"commit": "abc"}', "'abc' is not 40 hex digits"),
            (json.dumps({"commit": "0" * 40, "recorded": "", "why": ""}), "'figures' is missing"),
        ):
            plan.write_text(text)
            self.refused(self.check("--list"), words)
        for field, value, words in (
            ("good", "lo", "good is low or high"), ("tolerance", 0, "tolerance is above 0"), ("name", "x", "RUN/METRIC"),
            ("name", "other/x", "is of no run"), ("name", FIGURES[1]["name"], "stands there twice"),
        ):
            rows = [dict(row) for row in FIGURES]
            rows[2 if field == "name" else 0][field] = value
            self.write_plan("0" * 40, rows=rows)
            self.refused(self.check("--list"), words)


class Reports(CheckTest):
    def test_the_report_is_markdown_and_json_where_it_was_asked_for(self):
        self.programs("base", add="80")
        page, document = self.root / "page.md", self.root / "all.json"
        self.check("--quick", "--report", str(page), "--json", str(document))
        self.assertIn("| graph/graph_add_ns | 80 ns | 100 ns |", page.read_text())
        self.assertIn("**worse**", page.read_text())
        self.assertNotIn("PARTIAL", page.read_text())
        self.assertEqual(json.loads(document.read_text())["counts"], {"worse": 1, "same": 2})

    def test_a_full_disk_is_told_and_the_table_is_printed(self):
        done = self.check("--quick", "--json", "/dev/full")
        self.assertEqual(done.returncode, 2)
        self.assertIn("cannot write /dev/full: No space left on device", done.stderr)
        self.assertIn("PASSED: 3 same", done.stdout)

    def test_a_regression_stays_one_when_the_disk_is_full(self):
        self.programs("base", add="80")
        self.assertEqual(self.check("--quick", "--json", "/dev/full").returncode, 1)

    def stopped(self, signal_number):
        """The check, stopped in its second round; what is under way hangs, and must end as well."""
        seen = self.root / "seen"
        self.programs("now", then=f'echo $$ >>{seen}; [ "$(wc -l <{seen})" -lt 5 ] || exec sleep 600')
        child = subprocess.Popen(self.command("--only", "graph"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.wait_until(lambda: seen.exists() and len(seen.read_text().split()) == 5, child)
        child.send_signal(signal_number)
        out, err = child.communicate(timeout=300)
        self.assertEqual(child.returncode, 3, err)
        self.assertFalse(Path(f"/proc/{seen.read_text().split()[-1]}").exists(), "what it had started is still there")
        self.assertIn("PARTIAL", out)
        self.assertNotIn("Traceback", err)

    def test_ctrl_c_keeps_what_was_measured(self):
        self.stopped(signal.SIGINT)
        self.assertFalse(self.document()["complete"])
        row = self.document()["figures"][0]
        self.assertEqual((row["verdict"], row["pairs"]), ("open", 3))
        self.assertIn("(PARTIAL)", (self.root / "build/bench-check/report.md").read_text())

    def test_a_signal_to_end_does_as_well(self):
        self.stopped(signal.SIGTERM)
        self.assertFalse(self.document()["complete"])

    def test_what_is_killed_leaves_a_partial_report(self):
        self.programs("now", then='[ "$3" != net_scenario ] || kill -9 $PPID')
        self.assertEqual(self.check("--quick").returncode, -signal.SIGKILL)
        self.assertFalse(self.document()["complete"])
        self.assertEqual(self.verdicts()["graph/graph_add_ns"], "same")

    def test_two_checks_of_one_tree_do_not_mix(self):
        lock = self.root / "build/bench-check/lock"
        lock.parent.mkdir(parents=True)
        holder = subprocess.Popen(["flock", "--shared", str(lock), "-c", "echo held; read x"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            holder.stdout.readline()
            done = self.check("--quick")
            self.assertEqual(done.returncode, 2)
            self.assertIn("another check runs", done.stderr)
        finally:
            holder.communicate(b"\n")


FAKE_CMAKE = """#!/bin/sh
# Configures nothing; builds by copying what the tree calls its program.
[ "$1" = --build ] || exit 0
if grep -q broken program; then echo "[1/1] program.cpp:1: error: broken"; exit 1; fi
mkdir -p build/release && cp program build/release/creto && echo "[1/1] creto"
"""


class Bases(CheckTest):
    """Bases out of a repository, built by a cmake that copies."""

    def setUp(self):
        super().setUp()
        tools = self.root / "bin"
        tools.mkdir()
        for name, text in (("cmake", FAKE_CMAKE), ("ninja", "#!/bin/sh\nexit 0\n")):
            (tools / name).write_text(text)
            (tools / name).chmod(0o755)
        self.env = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "GIT_CONFIG_GLOBAL": "/dev/null",
                    "GIT_CONFIG_SYSTEM": "/dev/null"}
        (self.root / ".gitignore").write_text("/build/\n/bin/\n/base/\n/now/\ncount-*\n")
        self.git("init", "-q", "-b", "main")
        self.first = self.commit("80")
        self.write_plan(self.first)
        self.head = self.commit("100")

    def git(self, *words):
        own = ["-c", "user.name=n", "-c", "user.email=n@example.org", "-c", "commit.gpgsign=false"]
        return subprocess.run(["git", "-C", str(self.root), *own, *words], capture_output=True, text=True, check=True,
                              env=self.env).stdout.strip()

    def commit(self, add):
        self.programs("any", add=add)
        (self.root / "any" / "creto").rename(self.root / "program")
        self.git("add", "--all")
        self.git("commit", "-q", "-m", add)
        return self.git("rev-parse", "HEAD")

    def against(self, *words):
        return self.check("--only", "graph", "--quick", *words, builds=False, env=self.env)

    def test_the_recorded_commit_is_built_beside_and_compared(self):
        done = self.against()
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertEqual(self.document()["base"]["commit"], self.first)
        self.assertEqual(self.document()["now"], {"commit": self.head, "changes": False})
        self.assertEqual(self.git("worktree", "list").count("\n"), 0)
        self.assertEqual(self.git("status", "--porcelain"), "")

    def test_another_base_and_changes_that_are_not_committed(self):
        self.assertEqual(self.against("--base", "HEAD").returncode, 0)
        self.programs("any", add="130")
        (self.root / "any" / "creto").rename(self.root / "program")
        self.assertEqual(self.against("--base", "HEAD").returncode, 1)
        self.assertTrue(self.document()["now"]["changes"])

    def test_recording_makes_head_the_base(self):
        self.assertEqual(self.check("--record", "--why", 'slower, and "meant"', builds=False, env=self.env).returncode, 0)
        plan = figures.read_plan(self.root / "bench" / "base.json")
        self.assertEqual((plan.commit, plan.why), (self.head, 'slower, and "meant"'))
        self.assertEqual([figure.name for figure in plan.figures], [row["name"] for row in FIGURES])
        self.assertEqual(self.against().returncode, 0)

    def test_a_base_that_is_not_in_the_clone(self):
        done = self.against("--base", "f" * 40)
        self.assertEqual(done.returncode, 2)
        self.assertIn("is not in this clone: git fetch origin", done.stderr)

    def test_a_shallow_clone_says_how_to_get_the_base(self):
        clone = self.root / "build" / "clone"
        self.git("clone", "-q", "--depth", "1", f"file://{self.root}", str(clone))
        self.root = clone
        done = self.against()
        self.assertEqual(done.returncode, 2)
        self.assertIn("git fetch --unshallow", done.stderr)

    def test_a_tree_without_a_repository(self):
        (self.root / ".git").rename(self.root / "build-git")
        done = self.against()
        self.assertEqual(done.returncode, 2)
        self.assertIn("no git repository", done.stderr)

    def test_a_base_that_does_not_build_shows_the_compiler(self):
        (self.root / "program").write_text("broken\n")
        self.git("commit", "-q", "-a", "-m", "broken")
        done = self.against("--base", "HEAD")
        self.assertEqual(done.returncode, 2)
        self.assertIn("does not build", done.stderr)
        self.assertIn("program.cpp:1: error: broken", done.stderr)

    def test_ctrl_c_while_the_base_is_built_ends_the_build(self):
        seen = self.root / "seen"
        hangs = FAKE_CMAKE.replace("if grep", f"echo $$ >{seen}; exec sleep 600\nif grep")
        (self.root / "bin" / "cmake").write_text(hangs)
        child = subprocess.Popen(self.command("--quick", builds=False), stderr=subprocess.PIPE, text=True, env=self.env)
        self.wait_until(lambda: seen.exists() and seen.read_text().endswith("\n"), child)
        child.send_signal(signal.SIGINT)
        err = child.communicate(timeout=300)[1]
        self.assertEqual(child.returncode, 3, err)
        self.assertIn("stopped before anything was measured", err)
        self.assertFalse(Path(f"/proc/{seen.read_text().strip()}").exists(), "the build is still there")

    def test_a_base_that_was_taken_out_by_half_is_taken_out_anew(self):
        tree = self.root / "build/bench-check" / f"base-{self.first[:12]}"
        tree.mkdir(parents=True)
        (tree / "program").write_text("broken\n")
        self.assertEqual(self.against().returncode, 1)


class Stops(unittest.TestCase):
    def test_a_signal_before_a_program_is_held_comes_after(self):
        before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
        stop.listen()
        try:
            reached = False
            with self.assertRaises(KeyboardInterrupt), stop.held():
                signal.raise_signal(signal.SIGINT)
                reached = True
            self.assertTrue(reached)
            with stop.held():
                pass  # What came before is over.
        finally:
            signal.signal(signal.SIGINT, before[0])
            signal.signal(signal.SIGTERM, before[1])


class Room(unittest.TestCase):
    def test_a_disk_without_room_for_a_build_is_told_before(self):
        with self.assertRaisesRegex(figures.Refused, "1.0 GB left.*make room"):
            trees.need_room(Path("/x"), lambda _: 1_000_000_000)
        trees.need_room(Path("/x"), lambda _: trees.ROOM_BYTES)


class TheRealPlan(unittest.TestCase):
    def setUp(self):
        self.plan = figures.read_plan(ROOT / "bench" / "base.json")
        self.scenarios = {path.stem: tomllib.loads(path.read_text()) for path in (ROOT / "scenarios").glob("*.toml")}

    def test_each_scenario_about_performance_is_covered(self):
        wanted = {name for name, one in self.scenarios.items() if one["category"] == "performance"}
        covered = {name for run in self.plan.runs for name in run.covers}
        self.assertEqual(len(wanted), 12)
        self.assertEqual(covered, wanted)

    def test_a_run_stands_only_for_scenarios_with_its_network_and_load(self):
        for run in self.plan.runs:
            if not run.scenario:
                continue
            for name in run.covers:
                for key in ("network", "load", "step", "variant", "micro"):
                    self.assertEqual(self.scenarios[name].get(key), self.scenarios[run.scenario].get(key), (run.name, name, key))

    def test_recording_twice_changes_nothing_but_the_head(self):
        text = (ROOT / "bench" / "base.json").read_text()
        same = figures.with_head(text, self.plan.commit, self.plan.recorded, self.plan.why)
        self.assertEqual(same, text)


if __name__ == "__main__":
    unittest.main()
