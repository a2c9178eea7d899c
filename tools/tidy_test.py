#!/usr/bin/env python3
"""Tests of tidy.py: each plants one fault in a small clean tree and expects that one finding."""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

import tidy

LAYERS = """\
# level layer deterministic may use foreign
0 base yes - expected
1 crypto yes base sodium
2 dag yes base -
3 runtime no base,dag asio
"""
HEADER = "// Thing: a thing.\n#pragma once\n"


class TidyTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.write("cmake/layers.txt", LAYERS)
        self.write("src/base/thing.hpp", HEADER)
        self.write("src/dag/graph.hpp", HEADER + '#include "base/thing.hpp"\n')
        self.write("src/dag/graph.cpp", '#include "dag/graph.hpp"\n#include <map>\nint graph = 1\'000;\n')
        self.write("src/runtime/loop.cpp", '#include <boost/asio.hpp>\n#include "dag/graph.hpp"\n')

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def findings(self):
        return [f"{path}:{line}: {message}" for path, line, message in tidy.Tidy(self.root).run()]

    def expect_clean(self):
        self.assertEqual(self.findings(), [])

    def expect_one(self, start, words):
        """Exactly one finding, at `start` (path:line), that says `words`."""
        findings = self.findings()
        self.assertEqual(len(findings), 1, findings)
        self.assertTrue(findings[0].startswith(start + ": "), findings)
        self.assertIn(words, findings[0])


class Layers(TidyTest):
    def test_a_clean_tree_has_no_findings(self):
        self.expect_clean()

    def test_a_layer_uses_lower_levels_only(self):
        self.write("cmake/layers.txt", LAYERS.replace("1 crypto yes base", "1 crypto yes base,dag"))
        self.expect_one("cmake/layers.txt:3", "crypto may not use dag: it is not below")

    def test_a_layer_does_not_use_its_own_level(self):
        self.write("cmake/layers.txt", LAYERS + "3 rocks no runtime -\n")
        self.expect_one("cmake/layers.txt:6", "rocks may not use runtime")

    def test_a_deterministic_layer_uses_no_other_kind(self):
        self.write("cmake/layers.txt", LAYERS + "4 sim yes runtime -\n")
        self.expect_one("cmake/layers.txt:6", "sim is deterministic and runtime is not")

    def test_an_unknown_layer_is_named(self):
        self.write("cmake/layers.txt", LAYERS.replace("2 dag yes base", "2 dag yes base,bass"))
        self.expect_one("cmake/layers.txt:4", "bass, which is no layer")

    def test_a_short_row_is_no_layer(self):
        self.write("cmake/layers.txt", LAYERS + "4 sim yes base\n")
        self.expect_one("cmake/layers.txt:6", "not a row of five fields")


class Mutants(TidyTest):
    MUTANT = """\
[[mutant]]
rule = "R1.1"
says = "it is two"
file = "src/dag/graph.cpp"
old = "graph = 1"
new = "graph = 2"
"""

    def test_whose_text_is_there_are_clean(self):
        self.write("tools/mutants/dag.toml", self.MUTANT)
        self.expect_clean()

    def test_whose_text_has_gone_are_named(self):
        self.write("tools/mutants/dag.toml", self.MUTANT.replace("graph = 1", "graph = 3"))
        self.expect_one("tools/mutants/dag.toml:1", "its text stands 0 times in src/dag/graph.cpp")

    def test_whose_file_has_gone_are_named(self):
        self.write("tools/mutants/dag.toml", self.MUTANT.replace("graph.cpp", "gone.cpp"))
        self.expect_one("tools/mutants/dag.toml:1", "src/dag/gone.cpp")


class Includes(TidyTest):
    def test_upward(self):
        self.write("src/dag/upward.cpp", '#include "runtime/loop.hpp"\n')
        self.expect_one("src/dag/upward.cpp:1", "dag/ may not include runtime/")

    def test_sideways_below_the_line_is_undeclared(self):
        self.write("src/dag/keys.cpp", '\n#include "crypto/keys.hpp"\n')
        self.expect_one("src/dag/keys.cpp:2", "dag/ may not include crypto/")

    def test_tests_hold_to_the_table_too(self):
        self.write("src/dag/up_test.cpp", '#include <gtest/gtest.h>\n#include "runtime/loop.hpp"\n')
        self.expect_one("src/dag/up_test.cpp:2", "dag/ may not include runtime/")

    def test_relative(self):
        self.write("src/dag/near.cpp", '#include "graph.hpp"\n')
        self.expect_one("src/dag/near.cpp:1", "from the root of src/")

    def test_unknown_folder(self):
        self.write("src/dag/far.cpp", '#include "moon/graph.hpp"\n')
        self.expect_one("src/dag/far.cpp:1", "moon/ is no layer")

    def test_a_folder_outside_the_table(self):
        self.write("src/moon/moon.cpp", "int moon = 1;\n")
        self.expect_one("src/moon/moon.cpp:1", "not in a layer")

    def test_a_commented_include_is_none(self):
        self.write("src/dag/old.cpp", '// #include "runtime/loop.hpp"\n/*\n#include "runtime/loop.hpp"\n*/\n')
        self.expect_clean()

    def test_foreign_headers_stay_at_home(self):
        for header, library in [
            ("sodium.h", "sodium"),
            ("blake3.h", "blake3"),
            ("rocksdb/db.h", "rocksdb"),
            ("boost/asio.hpp", "asio"),
            ("nlohmann/json.hpp", "json"),
            ("prometheus/counter.h", "prometheus"),
            ("toml++/toml.h", "toml"),
            ("CLI/CLI.hpp", "cli11"),
            ("spdlog/spdlog.h", "spdlog"),
            ("openssl/ssl.h", "openssl"),
            ("tl/expected.hpp", "expected"),
        ]:
            with self.subTest(library):
                self.write("src/dag/foreign.cpp", f"#include <{header}>\n")
                self.expect_one("src/dag/foreign.cpp:1", f"dag/ is no home of {library}")

    def test_a_foreign_header_at_home(self):
        self.write("src/crypto/keys.cpp", "#include <sodium.h>\n")
        self.expect_clean()

    def test_a_library_without_a_home(self):
        self.write("src/runtime/zip.cpp", "#include <zip/zip.h>\n")
        self.expect_one("src/runtime/zip.cpp:1", "a library without a home")

    def test_test_headers_are_for_tests(self):
        self.write("src/base/thing.cpp", "#include <gtest/gtest.h>\n")
        self.write("src/base/thing_test.cpp", "#include <gtest/gtest.h>\n")
        self.write("src/base/test_support.hpp", HEADER + "#include <gtest/gtest.h>\n")
        self.write("src/base/testing/world.hpp", HEADER + "#include <gtest/gtest.h>\n")
        self.expect_one("src/base/thing.cpp:1", "is for _test.cpp files")

    def test_system_headers_are_the_hosts(self):
        self.write("src/dag/disk.cpp", "#include <unistd.h>\n")
        self.write("src/runtime/disk.cpp", "#include <unistd.h>\n#include <sys/socket.h>\n")
        self.expect_one("src/dag/disk.cpp:1", "the operating system is the host's")


class Determinism(TidyTest):
    def test_banned_includes(self):
        for header in ["thread", "mutex", "atomic", "chrono", "ctime", "random", "fstream", "filesystem"]:
            with self.subTest(header):
                self.write("src/dag/bad.cpp", f"#include <{header}>\n")
                self.expect_one("src/dag/bad.cpp:1", f"<{header}>: no threads, clocks, files")

    def test_banned_text(self):
        for code, words in [
            ("std::unordered_map<int, int> tips;", "hash order"),
            ("#include <unordered_set>\nstd::unordered_set<int> a;", "hash order"),
            ("double share = 0;", "floating point"),
            ("#define SHARE float", "floating point"),
            ("auto now = steady_clock::now();", "no clocks"),
            ("auto now = std::time(nullptr);", "no clocks"),
            ("std::random_device device;", "no entropy"),
            ("fill_random(seed);", "only hosts"),
            ('auto home = getenv("HOME");', "no environment"),
            ("std::mutex lock;", "no threads"),
            ("thread_local int depth;", "no threads"),
            ("std::ofstream out;", "no files"),
        ]:
            with self.subTest(code):
                self.write("src/dag/bad.cpp", code + "\n")
                self.expect_one(f"src/dag/bad.cpp:{code.count(chr(10)) + 1}", words)

    def test_the_home_of_fill_random_may_name_it(self):
        self.write("src/crypto/seed.cpp", "void fill_random();\n")
        self.expect_clean()

    def test_comments_and_strings_do_not_count(self):
        self.write(
            "src/dag/words.cpp",
            "// a double vote\n"
            'auto a = "float"; /* a\nsteady_clock */ auto b = R"(double "quoted" float)";\n'
            "auto c = '\"'; auto d = 1'000'000; // std::mutex\n",
        )
        self.expect_clean()

    def test_code_between_strings_counts(self):
        self.write("src/dag/words.cpp", 'auto a = "\\""; double b; auto c = "";\n')
        self.expect_one("src/dag/words.cpp:1", "floating point")

    def test_tests_fuzzers_and_benchmarks_may(self):
        for role in ["test", "fuzz", "bench"]:
            self.write(f"src/dag/graph_{role}.cpp", "#include <chrono>\n#include <unistd.h>\ndouble share;\n")
        self.expect_clean()

    def test_hosts_may(self):
        self.write("src/runtime/clock.cpp", "#include <chrono>\ndouble now();\n")
        self.expect_clean()

    def test_an_allowed_line_with_a_reason(self):
        self.write("src/dag/show.cpp", "double share();  // tidy: allow printed only\n")
        self.expect_clean()

    def test_an_allowed_line_without_a_reason(self):
        self.write("src/dag/show.cpp", "double share();  // tidy: allow\n")
        self.expect_one("src/dag/show.cpp:1", "needs a reason")


class Symbols(TidyTest):
    def build(self, preset, source, together=()):
        """Compiles a source of dag/ into the archive that CMake would make; with others, as one file."""
        self.write("src/dag/bad.cpp", source)
        folder = self.root / "build" / preset
        folder.mkdir(parents=True, exist_ok=True)
        file = self.root / "src/dag/bad.cpp"
        if together:
            includes = "".join(f'#include "{self.root}/src/dag/{name}.cpp"\n' for name in together)
            self.write("build/dev/CMakeFiles/creto_dag.dir/Unity/unity_0_cxx.cxx", includes)
            file = folder / "CMakeFiles/creto_dag.dir/Unity/unity_0_cxx.cxx"
        compiled = folder / (file.name + ".o")
        subprocess.run(["g++", "-std=c++20", "-c", file, "-o", compiled], check=True)
        self.archive = folder / "libcreto_dag.a"
        self.archive.unlink(missing_ok=True)
        subprocess.run(["ar", "rcs", self.archive, compiled], check=True)

    def symbols(self):
        """The findings that an archive caused; the text of the source may have caused others."""
        return [finding for finding in self.findings() if "libcreto_dag.a" in finding]

    RANDOM = 'extern "C" long random();\nlong draw() { return random(); }'
    CLOCK = "namespace std::chrono::_V2 { struct steady_clock { static long now(); }; }\n"

    def test_a_banned_function(self):
        self.build("dev", self.RANDOM)
        self.expect_one("src/dag/bad.cpp:1", "build/dev/libcreto_dag.a uses random")

    def test_a_clock_in_a_release_build(self):
        self.build("release", self.CLOCK + "long f() { return std::chrono::_V2::steady_clock::now(); }\n")
        self.assertEqual(
            self.symbols(),
            [
                "src/dag/bad.cpp:1: build/release/libcreto_dag.a uses"
                " std::chrono::_V2::steady_clock::now(), which only a host may use"
            ],
        )

    def test_a_call_of_fill_random(self):
        self.build("dev", "namespace creto { void fill_random(int); void f() { fill_random(1); } }\n")
        self.assertEqual(len(self.symbols()), 1, self.findings())

    def test_an_allowed_line_excepts_the_function_it_names(self):
        self.build("dev", self.RANDOM + "  // tidy: allow planted")
        self.expect_clean()

    def test_a_function_of_ours_with_such_a_name(self):
        self.build("dev", "namespace creto { void read(int); void f() { read(1); } }")
        self.expect_clean()

    def test_files_that_were_compiled_together(self):
        for name, code in [("good", "void good() {}\n"), ("bad", self.RANDOM)]:
            self.write(f"src/dag/{name}.cpp", code)
        self.build("dev", self.RANDOM, ["good", "bad"])
        self.assertEqual(
            self.symbols(),
            [
                "src/dag/bad.cpp:1: build/dev/libcreto_dag.a uses random, which only a host may use,"
                " or src/dag/good.cpp"
            ],
        )
        self.build("dev", self.RANDOM + "  // tidy: allow planted", ["good", "bad"])
        self.expect_clean()

    def test_an_archive_older_than_its_source_says_nothing(self):
        self.build("dev", self.RANDOM)
        os.utime(self.archive, (1, 1))
        self.expect_clean()

    def test_an_unreadable_archive(self):
        self.write("build/dev/libcreto_dag.a", "not an archive")
        self.expect_one("build/dev/libcreto_dag.a:1", "nm cannot read it")


class Tags(TidyTest):
    def setUp(self):
        super().setUp()
        self.write("docs/spec/tally.md", "# Tally\n\n[TALLY-ONCE.1] Once.\n")
        self.write("src/dag/tally.cpp", "// [TALLY-ONCE.1]\n")
        self.write("src/dag/tally_test.cpp", "// [TALLY-ONCE.1]\n")

    def test_in_all_three_places(self):
        self.expect_clean()

    def test_in_no_source(self):
        self.write("src/dag/tally.cpp", "\n")
        self.expect_one("docs/spec/tally.md:3", "[TALLY-ONCE.1] stands in no source")

    def test_in_no_test(self):
        self.write("src/dag/tally_test.cpp", "\n")
        self.expect_one("docs/spec/tally.md:3", "[TALLY-ONCE.1] stands in no test")

    def test_a_whole_system_test_counts(self):
        self.write("src/dag/tally_test.cpp", "\n")
        self.write("tests/system_test.py", "# [TALLY-ONCE.1]\n")
        self.expect_clean()

    def test_not_in_the_specification(self):
        self.write("src/dag/tally.cpp", "// [TALLY-ONCE.1]\n// [TALLY-ONCE.2]\n")
        self.expect_one("src/dag/tally.cpp:2", "[TALLY-ONCE.2] is not in docs/spec/")


class Sizes(TidyTest):
    LONG = "int a;\n" * 610

    def test_a_long_file(self):
        self.write("src/dag/long.cpp", self.LONG)
        self.expect_one("src/dag/long.cpp:1", "610 lines, at most 600")

    def test_at_the_limit(self):
        self.write("src/dag/long.cpp", "int a;\n" * 600)
        self.expect_clean()

    def test_listed_with_its_size(self):
        self.write("src/dag/long.cpp", self.LONG)
        self.write(tidy.RATCHET, "# path lines\nsrc/dag/long.cpp 610\n")
        self.expect_clean()

    def test_grown_past_its_entry(self):
        self.write("src/dag/long.cpp", self.LONG + "int b;\n")
        self.write(tidy.RATCHET, "src/dag/long.cpp 610\n")
        self.expect_one("src/dag/long.cpp:1", "611 lines, at most 610")

    def test_shrunk_below_its_entry(self):
        self.write("src/dag/long.cpp", self.LONG)
        self.write(tidy.RATCHET, "src/dag/long.cpp 620\n")
        self.expect_one(f"{tidy.RATCHET}:1", "lower its entry")

    def test_an_entry_without_need(self):
        self.write(tidy.RATCHET, "src/dag/graph.cpp 700\n")
        self.expect_one(f"{tidy.RATCHET}:1", "remove its entry")

    def test_the_list_only_shrinks(self):
        def git(*words):
            identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
            subprocess.run(["git", "-C", self.root, *identity, *words], check=True, capture_output=True)

        self.write("src/dag/long.cpp", self.LONG)
        self.write(tidy.RATCHET, "src/dag/long.cpp 610\n")
        git("init", "-q")
        git("add", ".")
        git("commit", "-q", "-m", "start")
        self.expect_clean()
        self.write("src/dag/more.cpp", self.LONG)
        self.write(tidy.RATCHET, "src/dag/long.cpp 610\nsrc/dag/more.cpp 610\n")
        self.expect_one(f"{tidy.RATCHET}:2", "the list only shrinks")


class HeadersAndLeftovers(TidyTest):
    def test_a_header_without_its_comment(self):
        self.write("src/dag/bare.hpp", "#pragma once\n")
        self.expect_one("src/dag/bare.hpp:1", "begins with a comment")

    def test_a_header_without_pragma_once(self):
        self.write("src/dag/bare.hpp", "// Bare: nothing.\n")
        self.expect_one("src/dag/bare.hpp:1", "no #pragma once")

    def test_leftovers_in_any_text(self):
        for word in ["TO" + "DO", "FIX" + "ME", "XX" + "X"]:
            for path in ["src/dag/graph.cpp", "docs/page.md", "Makefile", "tools/x.sh", ".ci/run"]:
                with self.subTest(path=path, word=word):
                    self.setUp()
                    self.write(path, f"one\n# {word} later\n")
                    self.assertEqual(
                        self.findings(), [f"{path}:2: {word}: finish it, or open an issue"]
                    )

    def test_what_was_built_is_not_read(self):
        self.write("build/dev/notes.txt", "TO" + "DO\n")
        self.expect_clean()


class Command(TidyTest):
    def run_tidy(self):
        command = Path(tidy.__file__).resolve()
        return subprocess.run([command, self.root], capture_output=True, text=True, check=False)

    def test_exit_codes_and_the_form_of_a_finding(self):
        self.assertEqual(self.run_tidy().returncode, 0)
        self.write("src/dag/upward.cpp", '#include "runtime/loop.hpp"\n')
        result = self.run_tidy()
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stdout, "src/dag/upward.cpp:1: dag/ may not include runtime/\n")


if __name__ == "__main__":
    unittest.main()
