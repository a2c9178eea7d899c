# Creto's verbs. `make` alone lists them; docs/HACKING.md shows them at work.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

export JOBS ?= $(shell nproc)
SEED ?= 1
SECONDS ?= 60
T ?=
# Why HEAD becomes the base that bench-check compares with: make bench-check-base WHY="votes are joined"
export WHY ?=
# More words for the program behind a verb: make demo ARGS=S2.1, make sim ARGS="--nodes 31".
ARGS ?=

# Where a verb's own output may be JSON, building talks on stderr: make -s demo ARGS=--json
build = cmake --preset $(1) --log-level=WARNING >/dev/null && cmake --build --preset $(1) -j $(JOBS) $(if $(2),--target $(2))

.PHONY: help setup demo test bench bench-check bench-check-base costs calibrate sim fuzz search mutants format tidy ready clean format-check

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install the Debian packages that are missing
	@tools/setup.sh >&2

demo: setup ## build, then show the system at work on real processes (ARGS=S2.1 for one scenario)
	@{ $(call build,release,creto); } >&2
	@build/release/creto demo $(ARGS)

test: setup ## build with sanitizers, check the house rules, run every test
	@$(call build,dev)
	@tools/tidy.py
	@ctest --preset dev -j $(JOBS) --no-tests=error

sim: setup ## run one simulation (SEED=7, ARGS="--nodes 31 --byzantine 0.30")
	@{ $(call build,release,creto); } >&2
	@build/release/creto sim run --seed $(SEED) $(ARGS)

fuzz: setup ## run one fuzz target (T=message SECONDS=60)
	@tools/fuzz_all.sh SECONDS_TOTAL=$(SECONDS) TARGET=$(or $(T),$(error name the target: make fuzz T=message))

bench: setup ## run the benchmarks (ARGS=--benchmark_filter=... for some)
	@tools/bench.sh $(ARGS)

bench-check: setup ## is anything slower than the recorded base: both in turn (ARGS=--quick, ARGS="--only NAME", ARGS=--help)
	@tools/bench_check.py $(ARGS)

bench-check-base: ## make HEAD the base of bench-check (WHY="a sentence"); commit bench/base.json
	@tools/bench_check.py --record --why "$$WHY"

costs: setup ## measure what the simulator charges, and write the table (commit it)
	@{ $(call build,release,creto_costs); } >&2
	@build/release/creto_costs --out src/sim/cost_measured.cpp

calibrate: setup ## hold the simulator against real clusters, fit its cost table, print the errors (minutes; a quiet machine)
	@{ $(call build,release,creto creto_calibrate); } >&2
	@for n in 4 16 7 31; do build/release/creto_calibrate real $$n; done
	@build/release/creto_calibrate fit

search: setup ## search ordering, epochs and rosters: model checker, twins, rosters (SECONDS=60 for the first two)
	@{ $(call build,release,model epochs twins rosters); } >&2
	@build/release/model --seconds $$(($(SECONDS) / 2))
	@build/release/epochs --seconds $$(($(SECONDS) / 2))
	@build/release/twins --cases 20000
	@build/release/rosters --seconds 30

mutants: setup ## plant one bug at a time and see that a checker notices (ARGS="--only F1", ARGS=--demo)
	@tools/mutants.py $(ARGS)

format: setup ## bring every C++ file into shape
	@tools/cpp_files.sh all | xargs -r clang-format -i

tidy: setup ## check the house rules, then the changed files with clang-tidy
	@tools/tidy.py
	@tools/cpp_files.sh changed | tools/clang_tidy.sh

ready: setup format-check tidy test ## all that a review expects

clean: ## remove what was built
	@rm -rf build

format-check:
	@tools/cpp_files.sh all | xargs -r clang-format --dry-run -Werror
