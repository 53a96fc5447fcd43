# SPDX-License-Identifier: GPL-2.0-only
"""What has happened after a broken case says nothing: it comes again, and nothing else does."""

from __future__ import annotations

import json
import unittest
from pathlib import Path

from ..boot import Boot, Report, Want
from ..outcomes import Outcomes, goes_on

END = "lab: end t 1"


def record(kind: str, **values) -> str:
    return "# json " + json.dumps({"type": kind, **values})


def broken(left: int = 0, **values) -> str:
    return record("broken", **{"promise": "R-2: it works", "relation": "holds", "left": left, **values})


def kernel(line: str) -> str:
    return record("kernel", line=line)


def boot(lines: list[str], console: str = "", quiet: str = "") -> Boot:
    """Of test t with three cases, and of test u."""
    want = Want({"tests": "t u", "kernel": "6.12", "quiet": quiet})
    report = Report.parse(["lab: start", "lab: begin t", "1..3", *lines])
    return Boot(want, report, console.split("\n"), "", Path("nowhere"))


class OutcomesTest(unittest.TestCase):
    def outcomes(self, expected: str, *lines: str, console: str = "", quiet: str = "") -> Outcomes:
        found = Outcomes(boot(list(lines), console, quiet), "guest", "module")
        short = [f"{case.number}{case.outcome}" for case in found.cases]
        self.assertEqual(" ".join(short + found.todo), expected)
        return found

    def test_failure(self):
        "a failure does not end the trust in a boot"
        found = self.outcomes("1pass 2fail 3pass u", "ok 1 a", broken(), "not ok 2 R-2, SPEC 1.8, 1.9: b",
                              "ok 3 c", END)
        case = found.cases[1]
        self.assertEqual((case.why, case.promises, case.case),
                         ('"R-2: it works" is not so', ["R-2", "SPEC 1.8", "SPEC 1.9"], "b"))

    def test_expected(self):
        "what was expected and what was observed"
        for values, text in (
                ({"relation": "is", "expected": "0", "observed": "-EIO"}, ": expected 0, observed -EIO"),
                ({"relation": "at most", "expected": "5", "observed": "9"}, ": expected at most 5, observed 9"),
                ({"relation": "text", "expected": "", "observed": "a\n"}, ': observed "a\\n"')):
            found = self.outcomes("1fail 2pass 3pass u", broken(**values), "not ok 1 a", "ok 2 b", "ok 3 c", END)
            self.assertEqual(found.cases[0].why, '"R-2: it works"' + text)

    def test_skip(self):
        "a case that was skipped"
        self.outcomes("1skip 2pass 3pass u", "ok 1 a # SKIP no card", "ok 2 b", "ok 3 c", END)

    def test_splat(self):
        "a complaint of the kernel ends the trust"
        line = "WARNING: CPU: 0 PID: 74 at vfio_ap_irq_disable+0x81c/0xa00 [vfio_ap]"
        found = self.outcomes("1fail t:2+3 u", kernel(line), broken(1, relation="kernel"), "not ok 1 a", "ok 2 b",
                              "not ok 3 c", END)
        self.assertEqual(found.cases[0].why, "WARN in vfio_ap_irq_disable()")

    def test_left(self):
        "what a failed case leaves behind ends the trust"
        self.outcomes("1fail t:2+3 u", broken(1), "not ok 1 a", "ok 2 b", "ok 3 c", END)
        self.outcomes("1fail t:2+3 u", record("left", what="/sys/module/vfio_ap"), broken(), "not ok 1 a", "ok 2 b",
                      "ok 3 c", END)

    def test_left_by_a_good_case(self):
        "what a good case leaves does not"
        self.outcomes("1pass 2pass 3pass u", record("left", what="/sys/module/vfio_ap"), "ok 1 a", "ok 2 b", "ok 3 c",
                      "lab: end t 0")

    def test_panic(self):
        "the case in which the kernel ended has failed"
        found = self.outcomes("1pass 2fail t:3 u", "ok 1 a", console="[ 1.0] lab: case t 2\n[ 2.0] Kernel panic - x")
        self.assertEqual(found.cases[1].why, "Kernel panic - x")

    def test_silence(self):
        "so has a case that said nothing until the boot was ended"
        found = self.outcomes("1pass 2fail t:3 u", "ok 1 a", quiet="150")
        self.assertEqual(found.cases[1].why, "hung, no end within 150 s")

    def test_suspect(self):
        "a failed case is the suspect if the boot ends in the next one"
        found = self.outcomes("1fail t:2+3 u", broken(), "not ok 1 a", console="[ 2.0] BUG: bad")
        self.assertEqual(found.cases[0].why, '"R-2: it works" is not so; soon after: BUG: bad')

    def test_killed(self):
        "a test that was killed"
        self.outcomes("1pass 2fail t:3 u", "ok 1 a", "lab: end t 143")

    def test_no_plan(self):
        "a test that died before its plan comes again as a whole"
        found = Outcomes(Boot(Want({"tests": "t"}), Report.parse(["lab: begin t"]), [], "", Path()), "r", "module")
        self.assertEqual((found.cases, found.todo), ([], ["t"]))

    def test_absent(self):
        "an interface that the driver does not have"
        found = self.outcomes("1absent 2pass 3pass u", record("absent", what="attribute x"), broken(), "not ok 1 a",
                              "ok 2 b", "ok 3 c", END)
        self.assertEqual(found.cases[0].why, "attribute x")

    def test_absent_and_more(self):
        "an interface that is absent excuses one expectation, not two"
        self.outcomes("1fail 2pass 3pass u", record("absent", what="attribute x"), broken(), broken(), "not ok 1 a",
                      "ok 2 b", "ok 3 c", END)

    def test_rescued(self):
        "a case that hung until it was rescued"
        found = self.outcomes("1pass 2fail 3pass u", "ok 1 a", broken(), record("hang", seconds=60),
                              "not ok 2 b", "ok 3 c", END)
        self.assertEqual(found.cases[1].why, "not over after 60 s, when the hardware was made to answer")

    def test_numbers(self):
        "cases keep the numbers that they have in the whole list"
        report = Report.parse(["lab: begin t:2+5", "1..2", "ok 1 b", broken(1), "not ok 2 e", END])
        found = Outcomes(Boot(Want({"tests": "t:2+5"}), report, [], "", Path()), "r", "module")
        self.assertEqual([case.number for case in found.cases], [2, 5])

    def test_duration(self):
        "the duration of a case is data"
        found = self.outcomes("1pass 2pass 3pass u", record("case", number=1, ms=12), "ok 1 a", "ok 2 b",
                              "ok 3 c", END)
        self.assertEqual([case.ms for case in found.cases], [12, None, None])

    def test_damaged_record(self):
        "a record that is damaged changes no result"
        self.outcomes("1fail 2pass 3pass u", '# json {"type": "absent", "wh', "# json []", "# json 3",
                      '# json {"kind": 1}', "not ok 1 a", "ok 2 b", "ok 3 c", END)

    def test_forged(self):
        "a record that says pass changes no result"
        self.outcomes("1fail 2pass 3pass u", record("case", number=1, outcome="pass", good=True),
                      "not ok 1 a", "ok 2 b", "ok 3 c", END)

    def test_wording(self):
        "the wording of a diagnostic changes nothing"
        self.outcomes("1pass 2pass 3pass u", "# BROKEN PROMISE (world.c:9): it works is not so", "ok 1 a",
                      "# NOT THERE: x", "ok 2 b", "# kernel: WARNING: x", "ok 3 c", END)

    def test_goes_on(self):
        "a boot that is still running goes on after a failure, and ends when something was left behind"
        self.assertTrue(goes_on(boot(["ok 1 a"])))
        self.assertTrue(goes_on(boot(["ok 1 a", broken(), "not ok 2 b"])))
        self.assertFalse(goes_on(boot([broken(1), "not ok 1 a"])))
        self.assertFalse(goes_on(boot([kernel("BUG: x"), "not ok 1 a", "ok 2 b"])))
