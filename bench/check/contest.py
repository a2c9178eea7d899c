"""contest: base and now in turn, until each figure is decided or its looks are used up.

Holds  Exact runs are carried out once on each side. The others go round by round, each run of a round in
       ABBA order (two pairs), so that the pairs of a figure lie spread over the whole time. A turn is the
       best of some executions where they are short: what else the machine does can only cost. A figure
       that is decided stays so; its run goes on while another of its figures is open.
       A figure of virtual time that differs between two runs of one side is FAILED: it is not exact.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from check import paired, report
from check.figures import Figure, Run
from check.paired import Finding, Looks
from check.runner import Build, Lacks, Measured, RunFailed, Runner

ABBA = ("base", "now", "now", "base")


@dataclass
class Series:
    """One figure: what was taken, and what it came to."""

    figure: Figure
    base: list[float] = field(default_factory=list)
    now: list[float] = field(default_factory=list)
    finding: Finding | None = None
    reason: str = ""

    @property
    def changes(self) -> list[float]:
        return [self.figure.rule.change(base, now) for base, now in zip(self.base, self.now)]

    def settle(self, verdict: str, reason: str) -> None:
        if self.finding is None:
            self.finding, self.reason = Finding(verdict, pairs=len(self.changes)), reason

    def row(self) -> dict:
        """Before it is decided: what is there so far."""
        finding = self.finding or paired.stopped(self.changes)
        reason = self.reason
        if self.finding is None:
            pairs = len(self.changes)
            reason = f"not decided after {pairs} pairs, which the interval holds all" if pairs else "not begun"
        medians = tuple(statistics.median(side) if side else None for side in (self.base, self.now))
        return report.figure_row(self.figure, finding, medians, reason)


@dataclass
class Heat:
    """One run, with its figures."""

    run: Run
    series: list[Series]
    took: list[float] = field(default_factory=list)  # Seconds of each execution.
    facts: dict[str, dict[str, str]] = field(default_factory=dict)  # By side.

    @property
    def is_open(self) -> bool:
        return any(one.finding is None for one in self.series)

    @property
    def pairs(self) -> int:
        return max((len(one.changes) for one in self.series), default=0)

    def left_s(self, looks: Looks) -> tuple[float, float]:
        """At least and at most, from what it took so far."""
        if not self.is_open:
            return 0.0, 0.0
        each = statistics.mean(self.took) if self.took else self.run.about_s
        if self.run.is_exact:
            return each * (2 - len(self.took)), each * (2 - len(self.took))
        warm = 0 if self.took else 2
        next_look = next((pairs for pairs, _ in looks if pairs > self.pairs), self.pairs)
        return tuple((2 * self.run.best_of * (pairs - self.pairs) + warm) * each for pairs in (next_look, looks[-1][0]))


class Contest:
    def __init__(self, runs: list[Run], builds: dict[str, Build], runner: Runner, looks: Looks,
                 tell: Callable[[str], None], keep: Callable[[], None]) -> None:
        self.heats = [Heat(run, [Series(figure) for figure in run.figures]) for run in runs]
        self.builds = builds
        self.runner = runner
        self.looks = looks
        self.tell = tell  # A line about what is under way.
        self.keep = keep  # Something new can be reported.

    def carry_out(self) -> None:
        for heat in self.heats:
            if not heat.run.is_exact:
                self.begin(heat)
        while again := [heat for heat in self.heats if not heat.run.is_exact and heat.is_open]:
            for heat in again:
                self.round(heat)
            self.keep()
        for heat in self.heats:
            if heat.run.is_exact:
                self.begin(heat)
                self.keep()

    def begin(self, heat: Heat) -> None:
        """The first of each side: what is missing shows. Of a repeated run it warms up, and is not counted.

        Now comes first: what neither side has is not new.
        """
        first = {}
        for side in ("now", "base"):
            measured = self.execute(heat, side)
            if measured is None:
                for series in heat.series:
                    value = first["now"].values.get(series.figure.metric) if "now" in first else None
                    series.now += [] if value is None else [value]
                return
            first[side] = measured
            heat.facts[side] = measured.facts
        for series in heat.series:
            metric = series.figure.metric
            base, now = (first[side].values.get(metric) for side in ("base", "now"))
            if now is None:
                series.settle(paired.FAILED, f"now does not print {metric}, or null")
            elif base is None:
                series.now.append(now)
                series.settle(paired.NEW, f"the base does not print {metric}")
            elif series.figure.time == "virtual":
                series.base.append(base)
                series.now.append(now)
                series.finding = paired.exact(series.figure.rule, base, now)

    def round(self, heat: Heat) -> None:
        for side in ABBA:
            turn = [self.execute(heat, side) for _ in range(heat.run.best_of) if heat.is_open]
            if None in turn or not heat.is_open:
                return
            for series in heat.series:
                self.take(series, side, [one.values.get(series.figure.metric) for one in turn])
        for series in heat.series:
            if series.finding is None:
                found = paired.look(series.figure.rule, series.changes, self.looks)
                series.finding = found if found and found.verdict != paired.OPEN else None

    def take(self, series: Series, side: str, values: list[float | None]) -> None:
        taken = series.base if side == "base" else series.now
        if series.figure.time == "virtual":
            other = [value for value in values if taken and value != taken[0]]
            if other and series.finding.verdict not in (paired.FAILED, paired.NEW):
                series.finding = Finding(paired.FAILED)
                series.reason = f"{side} gave {taken[0]:g}, then {other[0]}: the same seed must give the same figure"
            return
        if None in values:
            series.settle(paired.FAILED, f"{side} printed {series.figure.metric} before, and does not now")
        elif series.finding is None:
            taken.append(min(values) if series.figure.rule.good == "low" else max(values))

    def execute(self, heat: Heat, side: str) -> Measured | None:
        """None, and all its figures are settled: it is missing, or failed."""
        self.tell(self.progress(heat, side))
        begun = time.monotonic()
        try:
            measured = self.runner.once(heat.run, self.builds[side])
        except Lacks as lack:
            for series in heat.series:
                series.settle(paired.NEW if side == "base" else paired.FAILED, str(lack))
            return None
        except RunFailed as failure:
            for series in heat.series:
                series.settle(paired.FAILED, str(failure))
            return None
        heat.took.append(time.monotonic() - begun)
        return measured

    def progress(self, heat: Heat, side: str) -> str:
        done = sum(1 for one in self.heats for series in one.series if series.finding)
        total = sum(len(one.series) for one in self.heats)
        left = [one.left_s(self.looks) for one in self.heats]
        least, most = (sum(one[i] for one in left) for i in (0, 1))
        at = "once" if heat.run.is_exact else f"pair {heat.pairs + 1} of at most {self.looks[-1][0]}"
        span = span_text(most) if span_text(least) == span_text(most) else f"{span_text(least)} to {span_text(most)}"
        return f"{done} of {total} figures decided; {heat.run.name}, {side}, {at}; {span} left"

    def rows(self) -> list[dict]:
        return [series.row() for heat in self.heats for series in heat.series]

    def notes(self) -> list[str]:
        """What the figures do not say: another cost table, another status, the same trace."""
        out = []
        same = []
        for heat in self.heats:
            base, now = (heat.facts.get(side, {}) for side in ("base", "now"))
            if base.get("cost table") != now.get("cost table") and base and now:
                out.append(
                    f"{heat.run.name}: another cost table ({base.get('cost table')}, now {now.get('cost table')}): its virtual "
                    "times and CPU differ by that as well as by the code."
                )
            is_simulated = "trace" in base and "trace" in now  # Criteria of real time come and go by themselves.
            if is_simulated and base.get("status") != now.get("status"):
                missed = f" ({now['missed']})" if "missed" in now else ""
                out.append(f"{heat.run.name}: its own criteria were {base['status']}, and are {now['status']}{missed}.")
            if base.get("trace") and base.get("trace") == now.get("trace"):
                same.append(heat.run.name)
        if same:
            out.append(f"{', '.join(same)}: the same trace on both sides, step by step.")
        return out


def span_text(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7_200 else f"{seconds / 3_600:.0f} h"
