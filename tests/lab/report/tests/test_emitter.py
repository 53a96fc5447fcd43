# SPDX-License-Identifier: GPL-2.0-only
"""What tests/lib/ktap.c prints is what this program reads."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from .. import ktap, lab
from ..bench import figures_of
from ..boot import Boot, Report, Want
from ..outcomes import Outcomes

CC = os.environ.get("HOSTCC", "gcc")


class EmitterTest(unittest.TestCase):
    lines: list[str]

    @classmethod
    def setUpClass(cls) -> None:
        if not shutil.which(CC):
            raise unittest.SkipTest(f"there is no {CC}")
        with tempfile.TemporaryDirectory() as where:
            lib, program = lab.REPO / "tests" / "lib", Path(where) / "emitter"
            subprocess.run([CC, "-std=gnu11", "-pthread", f"-I{lib}", "-o", program,
                            Path(__file__).parent / "emitter.c", lib / "ktap.c"], check=True)
            done = subprocess.run([program], stdout=subprocess.PIPE, check=False,
                                  env={**os.environ, "KTAP_PATIENCE": "1"})
        cls.status, cls.lines = done.returncode, done.stdout.decode().splitlines()

    def outcomes(self, *numbers: int) -> list:
        """Of these cases, as if each were in a boot of its own."""
        found = []
        for number in numbers:
            at = [nth for nth, line in enumerate(self.lines) if ktap.parse_result(line)]
            first = at[number - 2] + 1 if number > 1 else 2
            lines = [*self.lines[first:at[number - 1]], self.lines[at[number - 1]]]
            report = Report.parse([f"lab: begin t:{number}", "1..1", *lines, f"lab: end t:{number} 1"])
            outcomes = Outcomes(Boot(Want({"tests": "t"}), report, [], "", Path()), "r", "module")
            found.append((outcomes.cases[0], outcomes.lost))
        return found

    def test_results(self):
        "eight results, in order, however much looks like one"
        results = [result for result in map(ktap.parse_result, self.lines) if result]
        self.assertEqual([result.number for result in results], list(range(1, 9)))
        self.assertEqual([result.good for result in results], [False, False, False, True, True, False, False, False])
        self.assertEqual(self.status, 1)

    def test_records(self):
        "every record is JSON"
        records = [line for line in self.lines if "# json" in line]
        self.assertEqual([line for line in records if not ktap.parse_record(line)], [])
        self.assertGreater(len(records), 20)

    def test_expectations(self):
        "what was expected and observed, whatever the kind"
        broken = [record for record in map(ktap.parse_record, self.lines) if record and record["type"] == "broken"]
        self.assertEqual([(one["relation"], one["expected"], one["observed"]) for one in broken[:7]], [
            ("holds", "true", "false"), ("is", "4", "3"), ("is", "0x1", "0xff"), ("at most", "5", "9"),
            ("at least", "5", "1"), ("is", "0", "-EIO"), ("text", "x", "a\nb\x01\xff")])
        self.assertEqual(broken[0]["promise"], 'R-1: a quote " and a backslash \\')
        self.assertEqual((broken[0]["file"], broken[0]["left"]), ("emitter.c", 0))

    def test_outcomes(self):
        "failed, absent, skipped, hung; what ends the trust in a boot"
        found = self.outcomes(1, 3, 5, 6, 7, 8)
        self.assertEqual([case.outcome for case, _ in found], ["fail", "absent", "skip", "fail", "fail", "fail"])
        self.assertEqual([lost for _, lost in found], [False, False, False, True, True, False])
        self.assertEqual([case.why for case, _ in found[1:]], [
            "attribute x", "", '"R-2: no page is pinned" is not so', "WARN in f()",
            "not over after 1 s, when the hardware was made to answer"])
        self.assertGreaterEqual(found[5][0].ms, 1000)

    def test_figures(self):
        "a figure with its name, value and unit"
        report = Report.parse(["lab: begin t", *self.lines, "lab: end t 1"])
        figures = figures_of(Boot(Want({"kernel": "6.12"}), report, [], "", Path()), "module", "g", 1)
        self.assertEqual([(one.name, one.value, one.unit) for one in figures], [("open with 3 queues", 12, "ns")])
