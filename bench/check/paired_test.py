#!/usr/bin/env python3
"""Tests of the statistics and verdicts of paired.py, by enumeration, by hand and by drawn pairs."""

import itertools
import random
import sys
import unittest
from math import inf
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from check import paired  # noqa: E402
from check.paired import BETTER, FAILED, NEW, NO_WORSE, OPEN, SAME, UNCLEAR, WORSE, Rule  # noqa: E402

LOW = Rule("low", 0.1)
HIGH = Rule("high", 0.1)


class Intervals(unittest.TestCase):
    def test_the_interval_leaves_out_k_less_one_at_each_end(self):
        self.assertEqual(paired.interval([3, 1, 2, 9, 5], 1), (1, 9))
        self.assertEqual(paired.interval([3, 1, 2, 9, 5], 2), (2, 5))

    def test_the_error_is_the_share_of_signs_that_miss_the_median(self):
        # Each change is above or below the median as a coin falls: count all ways to fall.
        for n, k in ((6, 1), (8, 1), (12, 2), (12, 3)):
            misses = sum(1 for signs in itertools.product((0, 1), repeat=n) if sum(signs) < k or n - sum(signs) < k)
            self.assertAlmostEqual(paired.error_of(((n, k),)), misses / 2**n)

    def test_all_looks_together_keep_the_promised_error(self):
        for looks in (paired.LOOKS_FULL, paired.LOOKS_QUICK):
            self.assertLessEqual(paired.error_of(looks), paired.ERROR_MOST)
            self.assertEqual([pairs % 2 for pairs, _ in looks], [0] * len(looks))
            self.assertEqual(sorted(looks), list(looks))


class Sides(unittest.TestCase):
    def test_where_an_interval_of_a_cost_lies(self):
        for low, high, side in (
            (-0.05, 0.05, SAME), (-0.1, 0.1, SAME), (0.11, 0.2, WORSE), (-0.3, -0.11, BETTER), (0.05, 0.15, OPEN),
            (-0.15, 0.05, NO_WORSE), (-0.2, 0.2, OPEN), (0.1, 0.2, OPEN), (0.2, inf, WORSE),
        ):
            self.assertEqual(paired.side_of(LOW, low, high), side, (low, high))

    def test_of_a_rate_it_is_the_other_way_round(self):
        for low, high, side in (
            (-0.05, 0.05, SAME), (0.11, 0.2, BETTER), (-0.3, -0.11, WORSE), (-0.15, -0.05, OPEN), (0.05, 0.15, NO_WORSE),
        ):
            self.assertEqual(paired.side_of(HIGH, low, high), side, (low, high))

    def test_changes_are_shares_of_the_base_or_amounts(self):
        self.assertAlmostEqual(LOW.change(80, 100), 0.25)
        self.assertAlmostEqual(Rule("low", 1.0, is_absolute=True).change(-0.5, 0.4), 0.9)

    def test_from_nothing_to_something_is_worse_and_from_nothing_to_nothing_the_same(self):
        self.assertEqual(paired.exact(LOW, 0, 1).verdict, WORSE)
        self.assertEqual(paired.exact(LOW, 0, 0).verdict, SAME)
        self.assertEqual(paired.exact(HIGH, 0, 1).verdict, BETTER)


class Looks(unittest.TestCase):
    LOOKS = ((4, 1), (8, 2))

    def test_it_looks_at_fixed_numbers_of_pairs_only(self):
        self.assertIsNone(paired.look(LOW, [0.0] * 5, self.LOOKS))
        self.assertEqual(paired.look(LOW, [0.0] * 4, self.LOOKS).verdict, SAME)

    def test_what_spans_the_limit_goes_on_and_is_unclear_in_the_end(self):
        self.assertEqual(paired.look(LOW, [0.0, 0.0, 0.0, 0.2], self.LOOKS).verdict, OPEN)
        self.assertEqual(paired.look(LOW, [0.0, 0.0, 0.2, 0.2] * 2, self.LOOKS).verdict, UNCLEAR)

    def test_one_disturbed_pair_is_left_out_later(self):
        self.assertEqual(paired.look(LOW, [0.0] * 7 + [5.0], self.LOOKS).verdict, SAME)

    def test_same_or_better_goes_on_and_is_no_worse_in_the_end(self):
        self.assertEqual(paired.look(LOW, [-0.2, 0.0, -0.2, 0.0], self.LOOKS).verdict, OPEN)
        self.assertEqual(paired.look(LOW, [-0.2, 0.0] * 4, self.LOOKS).verdict, NO_WORSE)

    def test_median_interval_and_pairs_are_told(self):
        found = paired.look(LOW, [0.5, 0.2, 0.3, 0.4], self.LOOKS)
        self.assertEqual((found.verdict, found.low, found.high, found.pairs), (WORSE, 0.2, 0.5, 4))
        self.assertAlmostEqual(found.change, 0.35)

    def test_what_was_stopped_is_open(self):
        self.assertEqual(paired.stopped([]).verdict, OPEN)
        found = paired.stopped([0.3, 0.1])
        self.assertEqual((found.verdict, found.low, found.high, found.pairs), (OPEN, 0.1, 0.3, 2))


def outcome(draw: random.Random, slower: float) -> str:
    """A whole life of a figure whose pairs scatter by 8 %, and where one in five is disturbed."""
    changes: list[float] = []
    while True:
        base, now = (draw.gauss(1, 0.08) * (draw.choice((1, 1, 1, 1, 1.6))) for _ in "12")
        changes.append(LOW.change(base, now * (1 + slower)))
        found = paired.look(LOW, changes, paired.LOOKS_FULL)
        if found and found.verdict != OPEN:
            return found.verdict


class Drawn(unittest.TestCase):
    """How often it is right, over 400 drawn lives each; the seed is fixed."""

    def shares(self, slower):
        draw = random.Random(7)
        verdicts = [outcome(draw, slower) for _ in range(400)]
        return {verdict: verdicts.count(verdict) / len(verdicts) for verdict in set(verdicts)}

    def test_what_is_equal_is_hardly_ever_worse(self):
        self.assertLessEqual(self.shares(0.0).get(WORSE, 0), 0.005)

    def test_at_the_limit_itself_the_error_is_as_promised(self):
        shares = self.shares(0.1)
        self.assertLessEqual(shares.get(WORSE, 0), paired.ERROR_MOST / 2)
        self.assertLessEqual(shares.get(SAME, 0), paired.ERROR_MOST / 2)

    def test_a_third_slower_is_worse(self):
        shares = self.shares(0.35)
        self.assertGreaterEqual(shares[WORSE], 0.95)
        self.assertEqual(shares.get(SAME, 0), 0)


class Ends(unittest.TestCase):
    def test_exit_codes(self):
        for verdicts, is_complete, code in (
            ([SAME, BETTER, NEW, NO_WORSE], True, 0), ([SAME, WORSE, FAILED, UNCLEAR], True, 1), ([SAME, FAILED, UNCLEAR], True, 2),
            ([SAME, UNCLEAR], True, 3), ([SAME, OPEN], True, 3), ([SAME], False, 3), ([WORSE], False, 1),
        ):
            self.assertEqual(paired.exit_code(verdicts, is_complete), code, verdicts)


if __name__ == "__main__":
    unittest.main()
