"""paired: from figures taken in turn, of a base and of now, to a verdict.

A pair is one figure of the base and one of now, taken one after the other on the same machine, in the
order base, now, now, base, ... (ABBA), so that a machine that gets slower favours neither. Of each pair
only the change counts: now over base, less one; or, of figures that may be zero, now less base.

The interval of the median change is that of the sign test: of n changes in their order, from the k-th
least to the k-th greatest. It asks nothing of how the changes are spread, and of twenty pairs four that
were disturbed do not move it. Looking repeatedly finds something in the end; so the looks, and the k of each,
are fixed before, and the errors of all of them together stay below ERROR_MOST (`error_of`).
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from math import comb, inf

# (pairs, k): after so many pairs the interval leaves out k - 1 changes at each end. Even: whole ABBA rounds.
LOOKS_FULL = ((8, 1), (12, 2), (20, 5), (32, 9), (48, 15))
LOOKS_QUICK = ((6, 1), (12, 2))
ERROR_MOST = 0.05
SLACK = 1e-9  # Of the arithmetic, not of the tolerance.

SAME = "same"  # The interval lies within the tolerance.
BETTER = "better"  # Wholly outside of it, on the good side.
WORSE = "worse"  # Wholly outside of it, on the bad side: a regression.
NO_WORSE = "no worse"  # After the last look: not worse, and same or better is open.
UNCLEAR = "unclear"  # After the last look it still reaches over the limit: neither a pass nor a regression.
NEW = "new"  # The base does not have it.
FAILED = "failed"  # It could not be measured.
OPEN = "open"  # Not decided yet; in a report: stopped before.

Looks = tuple[tuple[int, int], ...]


def error_of(looks: Looks) -> float:
    """How often at most the median lies outside of the interval in any of the looks."""
    return sum(2 * sum(comb(n, i) for i in range(k)) / 2**n for n, k in looks)


@dataclass(frozen=True)
class Rule:
    """When a change of a figure matters."""

    good: str  # "low" or "high"
    tolerance: float  # A share of the base; with `is_absolute` an amount in the figure's unit.
    is_absolute: bool = False

    def change(self, base: float, now: float) -> float:
        if self.is_absolute:
            return now - base
        if base == 0:
            return 0.0 if now == 0 else inf
        return now / base - 1


@dataclass(frozen=True)
class Finding:
    verdict: str
    change: float | None = None  # The median.
    low: float | None = None  # The interval of the median.
    high: float | None = None
    pairs: int = 0


def interval(changes: list[float], k: int) -> tuple[float, float]:
    ordered = sorted(changes)
    return ordered[k - 1], ordered[len(ordered) - k]


def side_of(rule: Rule, low: float, high: float) -> str:
    """Where an interval lies; OPEN when it reaches over the limit of a regression."""
    if rule.good == "high":
        low, high = -high, -low
    limit = rule.tolerance + SLACK
    if low > limit:
        return WORSE
    if high < -limit:
        return BETTER
    if high > limit:
        return OPEN
    return SAME if low >= -limit else NO_WORSE


def exact(rule: Rule, base: float, now: float) -> Finding:
    """Of a figure that is the same in every run: one of each decides."""
    change = rule.change(base, now)
    return Finding(side_of(rule, change, change), change, change, change, 1)


def look(rule: Rule, changes: list[float], looks: Looks) -> Finding | None:
    """What the changes say, if now is the time to look. OPEN: go on. None: it is not."""
    for number, (pairs, k) in enumerate(looks):
        if pairs != len(changes):
            continue
        low, high = interval(changes, k)
        side = side_of(rule, low, high)
        if number + 1 < len(looks):
            # Which of `same` and `better` it is may still show.
            side = OPEN if side == NO_WORSE else side
        elif side == OPEN:
            side = UNCLEAR
        return Finding(side, statistics.median(changes), low, high, pairs)
    return None


def stopped(changes: list[float]) -> Finding:
    """What there is of a figure before a look has decided; low and high are the ends of all changes."""
    if not changes:
        return Finding(OPEN)
    return Finding(OPEN, statistics.median(changes), min(changes), max(changes), len(changes))


def exit_code(verdicts: list[str], is_complete: bool) -> int:
    """1: a regression. 2: something could not be measured. 3: something is unclear, or was stopped."""
    if WORSE in verdicts:
        return 1
    if FAILED in verdicts:
        return 2
    if UNCLEAR in verdicts or OPEN in verdicts or not is_complete:
        return 3
    return 0
